/** The manifest of tests/manifest/fixture.ts as a folder, and bundles of it. */
import { type Bundle as Packed, bundle, type BundleOptions } from "../../src/bundle/bundle.ts";
import { folderOf } from "../../src/files/durable.ts";
import { makeBundle, testJudge } from "../manifest/fixture.ts";

export const made = await makeBundle();

/** Writes manifest and artefacts into a folder, with anything else that has no place in a bundle. */
export async function writeFolder(folder: string, names = [...made.artefacts.keys()]): Promise<void> {
  for (const name of names) {
    await Deno.mkdir(folderOf(`${folder}/${name}`), { recursive: true });
    await Deno.writeFile(`${folder}/${name}`, made.artefacts.get(name) ?? new Uint8Array());
  }
  await Deno.writeTextFile(`${folder}/manifest.dsse.json`, made.envelope);
  await Deno.writeTextFile(`${folder}/.lock`, "");
  await Deno.writeTextFile(`${folder}/signing-key.pem`, "a secret that nobody asked for");
}

/** Packs a folder into `<folder>.tar`. */
export async function pack(folder: string, options: Partial<BundleOptions> = {}): Promise<Packed> {
  return await bundle(folder, { output: `${folder}.tar`, judge: testJudge, ...options });
}

/** Names of checkpoints of the fixture. */
export const CHECKPOINTS: readonly string[] = [...made.artefacts.keys()].filter((name) =>
  name.includes("/checkpoints/")
);

/** Path of the first file in a folder whose name has this in it. */
export function pathOf(folder: string, part: string): string {
  return `${folder}/${[...made.artefacts.keys()].find((name) => name.includes(part))}`;
}
