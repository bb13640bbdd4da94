/**
 * The document of rules: what `experiments/paper.yaml` says of the paper, and every experiment with its claims and
 * figures, in one text. Its digest fixes them before a run, and a copy lies beside the manifest.
 */
import { type Digest, sha256 } from "../digest/sha256.ts";
import { type ExperimentFolders, readExperimentFiles, readPaperFile } from "../experiment/catalogue.ts";
import { formatYaml, validate } from "../text/yaml.ts";
import { experimentFileSchema } from "../results/experiment_file.ts";
import { type Paper, paperFileSchema, parsePaper } from "../results/paper_schema.ts";

/** Name of the document beside a manifest, and in messages. */
export const PAPER_FILE = "paper.yaml";

const HEADING = "# The rules of this reproduction: experiments/paper.yaml and every experiment, as they were read.\n";

/** The document, read and checked. */
export interface PaperFile {
  readonly text: string;
  readonly digest: Digest;
  readonly content: Paper;
}

/**
 * Composes the document from the files. The same files give the same text.
 *
 * @throws {UserError} if a file cannot be read, or naming the entry that is not valid
 */
export async function loadPaper(folders: ExperimentFolders = {}): Promise<PaperFile> {
  const paper = await readPaperFile(folders.folder);
  validate(paperFileSchema, paper.value, paper.name);
  const files = await readExperimentFiles(folders);
  for (const { value, name } of files) validate(experimentFileSchema, value, name);
  const text = HEADING + formatYaml({ ...paper.value as object, experiments: files.map(({ value }) => value) });
  return { text, digest: sha256(text), content: parsePaper(text, PAPER_FILE) };
}

/** Texts of the rules that manifests are made with here: of the paper's experiments, and of all. */
export async function loadRules(folders: ExperimentFolders = {}): Promise<string[]> {
  const papers = await Promise.all([loadPaper(folders), loadPaper({ ...folders, set: "all" })]);
  return papers.map(({ text }) => text);
}
