/**
 * The rooms of `src/`: what each is for, and which way its imports may go. docs/architecture.md draws them from the code,
 * and tests/architecture_test.ts holds the code to them.
 */

/** A folder of `src/` that a reader looks for by its subject. */
export interface Room {
  /** path below `src/` */
  readonly name: string;
  /** what is in it, for the map */
  readonly purpose: string;
}

/** From the ground floor up: a room imports from its own storey and those before it. */
export const STOREYS: readonly (readonly Room[])[] = [
  [
    { name: "digest", purpose: "SHA-256, canonical JSON, Merkle trees" },
    { name: "arithmetic", purpose: "Philox, permutations, exp, log, cos and erf to the bit" },
    { name: "text", purpose: "UTF-8, strict JSON, YAML: texts of others, read with bounds" },
    { name: "files", purpose: "the one place that opens, writes, renames and locks files" },
  ],
  [
    { name: "formats", purpose: "file formats: tar, safetensors, PyTorch, Parquet, Megatron, npy, tokenizer.json" },
    { name: "schedule", purpose: "learning-rate schedules, a file a kind" },
    { name: "hub", purpose: "downloads from a hub: listing, resuming, caching" },
  ],
  [{ name: "model", purpose: "shapes, parameters, initial weights, Hugging Face folders in and out" }],
  [{ name: "experiment", purpose: "experiments and scales from YAML to a plan: a graph of runs with content keys" }],
  [{ name: "locks", purpose: "who works on which run: a lock and a lease each, across hosts" }],
  [
    { name: "container", purpose: "what image a process runs in" },
    { name: "data", purpose: "corpora: sources, tokenised and shuffled windows, validation" },
    { name: "engine", purpose: "what computes a training step: exact, cuda, tensorflow" },
  ],
  [
    { name: "results", purpose: "curves, the paper's claims and the rules that judge them" },
    { name: "inference", purpose: "continuing a text, losses by domain" },
    { name: "ranks", purpose: "one session over several processes: who sums what, and what moves bytes between them" },
  ],
  [{ name: "train", purpose: "a run: journal, checkpoints, curves; a plan's runs in order" }],
  [{ name: "manifest", purpose: "the signed statement: format, keys, consistency, verification" }],
  [{ name: "report", purpose: "the page: figures, claims, numbers, from verified data alone" }],
  [{ name: "retrain", purpose: "training pieces again to check them, and comparing two manifests" }],
  [{ name: "attestation", purpose: "what reviewers sign" }],
  [{ name: "timestamp", purpose: "RFC 3161: when plan, rules and manifest existed, by an authority's word" }],
  [{ name: "bundle", purpose: "a manifest and its artefacts in one archive" }],
  [{ name: "worker", purpose: "one run at a time of a plan that many processes share, and how far they are" }],
  [{ name: "reproduce", purpose: "the whole way, from options to a signed manifest" }],
  [{ name: "launch", purpose: "a plan as jobs of Slurm, Kubernetes and SkyPilot" }],
  [{ name: "cli", purpose: "the command line: a file a command" }],
  [{ name: "pull_request", purpose: "what action.yml runs: manifests of a pull request, verified and compared" }],
  [{ name: "page", purpose: "the verifier as a page: what a browser has in place of files, and what is shown" }],
];

/** Rooms within `src/manifest`, in the same way. */
const MANIFEST_STOREYS: readonly (readonly Room[])[] = [
  [{ name: "manifest/keys", purpose: "Ed25519 keys: PEM, strict checks, signatures" }],
  [{ name: "manifest/format", purpose: "what is signed: predicate, runs, envelope, Merkle trees, schemas" }],
  [{ name: "manifest/consistency", purpose: "whether a statement agrees with itself" }],
  [{ name: "manifest/statement.ts", purpose: "making and signing a statement" }],
  [{ name: "manifest/verify", purpose: "the steps of a verification, and where artefacts are read from" }],
];

/** Rooms within `src/report`, in the same way. */
const REPORT_STOREYS: readonly (readonly Room[])[] = [
  [
    { name: "report/input", purpose: "what the page shows, and how it follows from a manifest" },
    { name: "report/renderer_version.ts", purpose: "the name of the bytes that a page has" },
    { name: "report/report_file.ts", purpose: "the name of the page's file" },
  ],
  [{ name: "report/markup", purpose: "HTML by escaping templates, tables, anchors, numbers, the stylesheet" }],
  [{ name: "report/charts", purpose: "series, legends and charts, drawn by Plot" }],
  [{ name: "report/sections", purpose: "a file a section of the page" }],
  [{ name: "report/page.ts", purpose: "the page from its sections" }],
  [{ name: "report/manifest_page.ts", purpose: "the page of a manifest" }],
  [{ name: "report/manifest_renderer.ts", purpose: "what a verification renders the page with, loaded when it must" }],
];

/** Rooms within `src/experiment`, in the same way. */
const EXPERIMENT_STOREYS: readonly (readonly Room[])[] = [
  [{ name: "experiment/run", purpose: "what determines a run's bits, its content key, and which runs wait for which" }],
  [{ name: "experiment/scale", purpose: "the size of everything, and whether it is a fair proxy of the paper's" }],
  [{ name: "experiment/readings.ts", purpose: "what the paper leaves open, and how it is read" }],
  [{ name: "experiment/schema.ts", purpose: "what may stand in the YAML files" }],
  [{ name: "experiment/catalogue.ts", purpose: "the experiments and scales that stand as YAML files" }],
  [{ name: "experiment/arm", purpose: "from an arm in the paper's units to the run that it needs at a scale" }],
  [{ name: "experiment/plan", purpose: "all arms as a graph of runs, with what they cost, as file and as text" }],
];

/** Rooms within `src/train`, in the same way. */
const TRAIN_STOREYS: readonly (readonly Room[])[] = [
  [{ name: "train/conditions.ts", purpose: "what a run's bits depend on besides its key" }],
  [
    { name: "train/checkpoint", purpose: "states and weights on the disk, with their digests" },
    { name: "train/journal", purpose: "a run's records, chained by SHA-256: written, read, and due" },
    { name: "train/deadline.ts", purpose: "the end of a job, which its scheduler sets" },
    { name: "train/session_pool.ts", purpose: "sessions of an engine, shared by runs of one shape" },
  ],
  [{ name: "train/evaluation", purpose: "validation windows and their losses, in all, by domain and by document" }],
  [{ name: "train/run_header.ts", purpose: "the first line of a run's journal, from its specification and corpora" }],
  [{ name: "train/folder", purpose: "what a run leaves, and whether what lies there can be taken as it is" }],
  [{ name: "train/start", purpose: "the weights that a run begins with, and what its penalty pulls towards" }],
  [{ name: "train/run_environment.ts", purpose: "what a run is trained with, and what training tells" }],
  [{ name: "train/beginning.ts", purpose: "where a run's training begins: its start, or its newest good checkpoint" }],
  [{ name: "train/run_records.ts", purpose: "a run as the sequence of its records, for training and retraining" }],
  [{ name: "train/train_run.ts", purpose: "one run, from its start or newest good checkpoint to its end" }],
  [{ name: "train/run_trainer.ts", purpose: "runs one by one, each under its lock" }],
  [{ name: "train/train_plan.ts", purpose: "all runs of a plan, each after those that it starts from" }],
];

/** Rooms that have rooms of their own, with their storeys. */
export const INNER_STOREYS = {
  experiment: EXPERIMENT_STOREYS,
  train: TRAIN_STOREYS,
  manifest: MANIFEST_STOREYS,
  report: REPORT_STOREYS,
} as const;

/** Number of a room's storey; undefined for files that lie in none, such as `src/errors.ts`. */
export function storeyOf(path: string, storeys: readonly (readonly Room[])[]): number | undefined {
  const found = storeys.findIndex((rooms) =>
    rooms.some(({ name }) => path === `src/${name}` || path.startsWith(`src/${name}/`))
  );
  return found < 0 ? undefined : found;
}
