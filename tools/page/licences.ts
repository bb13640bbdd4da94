/** Licences of the npm packages whose code or text comes along in the verifier's page. */
import project from "../../deno.json" with { type: "json" };

/** Files that state a package's terms. */
const TERMS = /^(licen[cs]e|notice|thirdpartynoticetext|copyright)([.-].*)?$/i;
/**
 * The terms of every package that a bundle holds, one after the other.
 *
 * @param bundle not minified: each module's path stands before it
 * @param corpora packages whose text comes along
 * @throws {Error} if a package comes without terms
 */
export async function licencesOf(bundle: string, corpora: ReadonlySet<string>): Promise<string> {
  const folders = new Map<string, string>();
  for (
    const [, folder = "", name = ""] of bundle.matchAll(/^\s*\/\/ (\S*node_modules\/((?:@[^/\s]+\/)?[^/\s]+))\/\S+$/gm)
  ) {
    if (name !== ".deno") folders.set(folder, name);
  }
  for (const name of corpora) folders.set(`node_modules/${name}`, name);
  const parts: string[] = [`rewarm ${project.version}, Apache-2.0\n\n${await Deno.readTextFile("LICENSE")}`];
  for (const [folder, name] of [...folders].sort(([, a], [, b]) => (a < b ? -1 : 1))) {
    parts.push(await termsOf(folder, name, corpora.has(name)));
  }
  return parts.join(`\n\n${"=".repeat(80)}\n\n`);
}

async function termsOf(folder: string, name: string, isCorpus: boolean): Promise<string> {
  const { version, license = "see below" } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) if (TERMS.test(entry.name)) files.push(entry.name);
  const use = isCorpus ? ", text of the embedded corpora" : "";
  const texts = await Promise.all(files.sort().map((file) => Deno.readTextFile(`${folder}/${file}`)));
  const terms = texts.length > 0
    ? texts.join("\n\n")
    : "Its package states its licence by name and holds no text of it.";
  return `${name} ${version}, ${license}${use}\n\n${terms.trim()}`;
}
