/** The description by which archives take a bundle in, held to the rules of RO-Crate 1.1 and Process Run Crate 0.5. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import { DENO_FILES } from "../../src/files/deno_file_system.ts";
import { readChunks } from "../../src/files/read_file.ts";
import { readTarIndex } from "../../src/formats/tar/tar_index.ts";
import { roCrate } from "../../src/manifest/format/ro_crate.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { made, pack, writeFolder } from "./fixture.ts";

const CRATE = "ro-crate-metadata.json";

// deno-lint-ignore no-explicit-any -- whatever JSON-LD holds
type Entity = Record<string, any>;

/** Files of a bundle by their names within its folder, and its description. */
async function open(path: string): Promise<{ files: Map<string, Uint8Array>; entities: Map<string, Entity> }> {
  const files = new Map<string, Uint8Array>();
  for (const [name, range] of await readTarIndex(path)) {
    const chunks = await Array.fromAsync(readChunks(path, DENO_FILES, range));
    files.set(name.slice(name.indexOf("/") + 1), new Uint8Array(await new Blob(chunks).arrayBuffer()));
  }
  const crate = JSON.parse(new TextDecoder().decode(files.get(CRATE)));
  assert.deepEqual(crate["@context"], [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
  ]);
  const graph: Entity[] = crate["@graph"];
  const entities = new Map(graph.map((entity) => [entity["@id"], entity]));
  assert.equal(entities.size, graph.length, "no entity stands twice");
  return { files, entities };
}

const ids = (references: Entity | Entity[]) => [references].flat().map((reference) => reference["@id"] as string);

Deno.test("a bundle is a Process Run Crate: every file described, every reference to an entity", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const { path } = await pack(`${folder}/out`, { license: "CC-BY-4.0" });
    const { files, entities } = await open(path);
    const of = (id: string) => entities.get(id) ?? assert.fail(`no entity "${id}"`);

    const descriptor = of(CRATE);
    assert.equal(descriptor["@type"], "CreativeWork");
    assert.deepEqual(ids(descriptor.about), ["./"]);
    assert.deepEqual(ids(descriptor.conformsTo), ["https://w3id.org/ro/crate/1.1"]);

    const root = of("./");
    assert.equal(root["@type"], "Dataset");
    for (const member of ["name", "description", "datePublished"]) {
      assert.ok(typeof root[member] === "string" && root[member] !== "", member);
    }
    assert.ok(Number.isFinite(Date.parse(root.datePublished)));
    assert.deepEqual(ids(root.license), ["https://spdx.org/licenses/CC-BY-4.0"]);
    assert.ok(ids(root.conformsTo).includes("https://w3id.org/ro/wfrun/process/0.5"));
    assert.equal(of("https://w3id.org/ro/wfrun/process/0.5").version, "0.5");

    const others = [...files.keys()].filter((name) => name !== CRATE);
    assert.deepEqual(ids(root.hasPart).map(decodeURIComponent).sort(), others.toSorted());
    for (const id of ids(root.hasPart)) {
      const { "@type": type, contentSize, sha256: digest } = of(id);
      const bytes = files.get(decodeURIComponent(id)) ?? assert.fail(id);
      assert.equal(type, "File");
      assert.equal(contentSize, `${bytes.length}`);
      assert.equal(digest, sha256(bytes));
      assert.ok(!/[ %](?![0-9A-F]{2})/.test(id), `${id} is a URI`);
    }

    const [action, ...further] = ids(root.mentions).map(of);
    assert.ok(action !== undefined && further.length === 0);
    assert.equal(action["@type"], "CreateAction");
    assert.equal(of(ids(action.instrument)[0] ?? "")["@type"], "SoftwareApplication");
    assert.ok(Number.isFinite(Date.parse(action.endTime)));
    assert.ok(ids(action.result).includes("manifest.dsse.json"));

    // Every reference that is no vocabulary's is described.
    const refer = (value: unknown): string[] =>
      typeof value !== "object" || value === null
        ? []
        : "@id" in value && Object.keys(value).length === 1
        ? [`${value["@id"]}`]
        : Object.values(value).flatMap(refer);
    for (const entity of entities.values()) {
      for (const id of Object.values(entity).flatMap(refer)) {
        if (!/^(http:\/\/schema\.org|https:\/\/w3id\.org\/ro\/crate\/1\.1)/.test(id)) of(id);
      }
    }
  }));

Deno.test("verification writes the description again, and fails where it is another", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    const { path } = await pack(`${folder}/out`);
    const found = () => verifyManifestFile(path, { judge: testJudge });
    assert.equal((await found()).verdict, "verified");
    const bytes = await Deno.readFile(path);
    const text = new TextDecoder("latin1").decode(bytes);
    const at = text.indexOf("Continual pre-training, reproduced");
    bytes[at] = "K".charCodeAt(0);
    await Deno.writeFile(path, bytes);
    const { verdict, steps } = await found();
    assert.equal(verdict, "failed");
    assert.match(
      steps.find(({ name }) => name === "artefacts")?.detail ?? "",
      /"ro-crate-metadata.json" is not what follows/,
    );
  }));

Deno.test("roCrate() keeps its form whatever files are called", () => {
  const files = [{ name: 'runs/a b%"\n<é>/curves.json', size: 1 }];
  const text = roCrate(made.statement, { manifest: sha256("m"), files, license: "CC0-1.0" });
  const graph: Entity[] = JSON.parse(text)["@graph"];
  assert.ok(graph.some((entity) => entity["@id"] === "runs/a%20b%25%22%0A%3C%C3%A9%3E/curves.json"));
});

Deno.test("bundle() refuses what is no SPDX identifier", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    await assert.rejects(
      pack(`${folder}/out`, { license: 'MIT"}' }),
      (error: unknown) => error instanceof UserError && error.code === "BAD_LICENSE",
    );
  }));
