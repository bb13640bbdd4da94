/**
 * Every member of a statement: which step checks it, and what of it is the maker's word. The documentation, the words
 * under "This does not say" and a test that walks the schema are held to this one table. Web-standard APIs only.
 */
import { PREDICATE_TYPES, type PredicateType } from "./predicate.ts";
import type { StepName } from "../verify/verification_report.ts";

/** What no step can check, by topic, in words that follow "This does not say". */
export const TOPICS = {
  program: "Which program made this, and where: tool version, engine name and description, command, environment, " +
    "container, and the conditions and machines of runs are the maker's words",
  inputs: "That the lockfiles among the inputs are those of any release: they are named by digest and not looked up",
  data:
    "What the texts are: where they come from, what a token is, counts, shares and shortages are the maker's words, " +
    "but for the validation text's bytes and tokens, which are those of the curves",
  time: "When this was made: the date is the maker's, and no more than within reason",
  checkpoints: "That checkpoints hold the states that the journals record: their bytes are as they were signed, and " +
    "retraining opens those that it starts from",
  origin: "That the runs which the maker calls its own were trained by the process that signed",
  words: "In which words limits, and reasons of skips, are given: they are those of another version",
} as const;

/** What the maker says and nobody checks. */
export type Topic = keyof typeof TOPICS;

/** A member, or all that is below it. */
export interface Member {
  /** from the statement on; `[]` for items, `{}` for members of any name */
  readonly path: string;
  /** the step that checks it, and how in a few words */
  readonly checked?: readonly [step: StepName, how: string];
  /** what is left open */
  readonly open?: Topic;
  /** stands for all members below it: what checks it covers any that may be added */
  readonly whole?: true;
}

const artefact = (path: string, ofBytes = "its subject's, and that of the file"): Member[] => [
  { path: `${path}.name`, checked: ["consistency", "leads to a subject, once"] },
  { path: `${path}.sha256`, checked: ["artefacts", ofBytes] },
];

const word = (path: string, open: Topic): Member => ({ path, open });

const corpus = (name: string): Member[] => [
  { path: `predicate.corpora.${name}.digest`, checked: ["consistency", "that of the runs, and of the plan"] },
  {
    path: `predicate.corpora.${name}.summary{}`,
    checked: ["curves", "bytes of validation text a token"],
    open: "data",
  },
];

/** All members of all versions. */
export const MEMBERS: readonly Member[] = [
  { path: "_type", checked: ["type", "one that is known"] },
  { path: "predicateType", checked: ["type", "one that is known"] },
  { path: "subject[].name", checked: ["subjects", "inside the folder, once"] },
  { path: "subject[].digest.sha256", checked: ["artefacts", "that of the file"] },
  { path: "predicate.tool.name", checked: ["schema", "rewarm"] },
  word("predicate.tool.version", "program"),
  { path: "predicate.scale", checked: ["plan", "the plan's"] },
  ...artefact("predicate.plan"),
  { path: "predicate.plan.planDigest", checked: ["plan", "of the plan's content"] },
  { path: "predicate.paper.name", checked: ["consistency", "the copy's, if there is one"] },
  { path: "predicate.paper.sha256", checked: ["claims", "of the rules that claims are judged by"] },
  {
    path: "predicate.inputs[].name",
    checked: ["plan", "experiments: those here give the same plan"],
    open: "inputs",
  },
  {
    path: "predicate.inputs[].sha256",
    checked: ["plan", "experiments: those here give the same plan"],
    open: "inputs",
  },
  { path: "predicate.container", open: "program", whole: true },
  ...["deno", "v8", "typescript", "os", "architecture", "cpu", "threads", "gpu", "permissions[]", "libraries{}"]
    .map((name) => word(`predicate.environment.${name}`, "program")),
  word("predicate.engine.name", "program"),
  { path: "predicate.engine.level", checked: ["consistency", "that of every run, and of the plan"] },
  { path: "predicate.engine.arithmetic", checked: ["consistency", "that of every run, and of the plan"] },
  word("predicate.engine.description{}", "program"),
  { path: "predicate.seeds.count", checked: ["plan", "the plan's"] },
  ...["initialWeights", "pretrainingOrder", "continuingOrder"].map((name): Member => ({
    path: `predicate.seeds.values[].${name}`,
    checked: ["consistency", "that of the repetition, and of its runs"],
  })),
  ...corpus("upstream"),
  ...corpus("downstream"),
  ...corpus("mixes{}"),
  word("predicate.data.source", "data"),
  word("predicate.data.tokenUnit", "data"),
  ...["corpus", "domain", "wanted", "found"].map((name) => word(`predicate.data.shortages[].${name}`, "data")),
  { path: "predicate.readings", checked: ["plan", "the plan's"], whole: true },
  { path: "predicate.start", checked: ["plan", "the plan's"], whole: true },
  { path: "predicate.runs[].key", checked: ["consistency", "digest of the specification"] },
  { path: "predicate.runs[].label", checked: ["plan", "the plan's"] },
  { path: "predicate.runs[].specification", checked: ["consistency", "gives the key"], whole: true },
  { path: "predicate.runs[].steps", checked: ["plan", "the plan's; as many as arms and later runs need"] },
  { path: "predicate.runs[].checkpointSteps[]", checked: ["plan", "the plan's; where later runs start"] },
  { path: "predicate.runs[].usedBy", checked: ["plan", "the plan's; each arm by one run at each seed"], whole: true },
  { path: "predicate.runs[].outcome", checked: ["journals", "as the journal ends; skips as the structure has them"] },
  { path: "predicate.runs[].reason", checked: ["consistency", "how the run that it starts from ended"] },
  ...artefact("predicate.runs[].journal"),
  { path: "predicate.runs[].journal.format", checked: ["journals", "as its first line has it"] },
  { path: "predicate.runs[].journal.root", checked: ["journals", "the chain, computed again"] },
  { path: "predicate.runs[].journal.steps", checked: ["journals", "counted"] },
  { path: "predicate.runs[].states[].step", checked: ["journals", "as recorded, and as due"] },
  { path: "predicate.runs[].states[].state", checked: ["journals", "as recorded"], open: "checkpoints" },
  ...artefact("predicate.runs[].states[].checkpoint"),
  { path: "predicate.runs[].merkleTree.treeSize", checked: ["journals", "counted"] },
  { path: "predicate.runs[].merkleTree.rootHash", checked: ["journals", "the tree, computed again"] },
  { path: "predicate.runs[].conditions[].fromStep", checked: ["consistency", "in order, inside the run"] },
  word("predicate.runs[].conditions[].conditions{}", "program"),
  ...artefact("predicate.runs[].curves"),
  word("predicate.runs[].origin", "origin"),
  {
    path: "predicate.runs[].trainedBy[].fromStep",
    checked: ["consistency", "in order, inside the run"],
    open: "program",
  },
  ...["machine", "os", "architecture", "cpu", "gpu", "deno", "engine", "job"]
    .map((name) => word(`predicate.runs[].trainedBy[].${name}`, "program")),
  ...["fromStep", "toStep"].map((name): Member => ({
    path: `predicate.runs[].retrained[].${name}`,
    checked: ["consistency", "in order, inside the run"],
    open: "origin",
  })),
  { path: "predicate.rulesVersion", checked: ["claims", "that of the rules"] },
  { path: "predicate.claims", checked: ["claims", "judged again"], whole: true },
  { path: "predicate.estimates", checked: ["claims", "estimated again"], whole: true },
  { path: "predicate.comparisons", checked: ["claims", "compared again"], whole: true },
  {
    path: "predicate.limits[]",
    checked: ["plan", "they follow from plan, runs and data; not in version 1"],
    open: "words",
  },
  word("predicate.command[]", "program"),
  {
    path: "predicate.metadata.createdAt",
    checked: ["consistency", "not before this project, not ahead"],
    open: "time",
  },
  { path: "predicate.report.name", checked: ["consistency", "leads to a subject, once"] },
  { path: "predicate.report.sha256", checked: ["report", "of the page, rendered again"] },
  { path: "predicate.report.rendererVersion", checked: ["report", "that of the renderer here, or left open"] },
];

/**
 * What a manifest leaves open, in whole sentences.
 *
 * @param isOwn whether this version of the program made it, in words that it can compare
 */
export function openTopics(type: PredicateType, isOwn: boolean): string[] {
  const absent: readonly Topic[] = type === PREDICATE_TYPES[0] ? ["origin"] : isOwn ? ["words"] : [];
  return Object.entries(TOPICS)
    .filter(([topic]) => !absent.some((name) => name === topic))
    .map(([, words]) => `${words}.`);
}

/** Of the documentation. */
const LINE_WIDTH = 120;

/** The table for the documentation, in Markdown. */
export function membersTable(): string {
  const rows = MEMBERS.map(({ path, checked, open, whole }) => [
    `\`${path}\`${whole === true ? " and below" : ""}`,
    checked === undefined ? "–" : `${checked[0]}: ${checked[1]}`,
    open ?? "–",
  ]);
  const head = ["member", "checked by", "left open"];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The topics for the documentation, in Markdown. */
export function topicsList(): string {
  return Object.entries(TOPICS).map(([topic, words]) => wrapped(`- **${topic}**: ${words}.`)).join("\n");
}

/** An item of a list in lines as `deno fmt` has them. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(word);
    else if (line.length + 1 + word.length <= LINE_WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join("\n");
}
