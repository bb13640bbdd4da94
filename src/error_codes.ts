/**
 * Codes of the errors a person is meant to read: stable, for programs. The compiler knows no other; a test fails on one
 * that no error has any more.
 */

/** A command line that says too little, too much, or what is not understood. */
const COMMAND_LINE = [
  "BAD_MIX",
  "BAD_NUMBER",
  "MISSING_ARGUMENT",
  "MISSING_OPTION",
  "MISSING_OUTPUT",
  "MISSING_SCALE",
  "MISSING_VALUE",
  "REPEATED_OPTION",
  "TWO_CHOICES",
  "UNKNOWN_ARGUMENT",
  "UNKNOWN_COMMAND",
  "UNKNOWN_OPTION",
  "UNUSED_OPTION",
] as const;

/** The machine, its file systems and the permissions of this process. */
const MACHINE = [
  "CLOCK_BEHIND",
  "DENO_TOO_OLD",
  "FILE_ERROR",
  "IO_ERROR",
  "NO_SPACE",
  "PERMISSION_DENIED",
  "READ_ONLY",
] as const;

/** Files and folders of any kind, before their content is looked at. */
const FILES = [
  "FILE_CHANGED",
  "FILE_NOT_FOUND",
  "FILE_TOO_LARGE",
  "FOLDER_NOT_EMPTY",
  "GIT_ANNEX_POINTER",
  "GIT_LFS_POINTER",
  "IS_A_LINK",
  "NOT_A_FILE",
  "NOT_A_FOLDER",
  "NOT_UTF8",
  "SPARSE_FILE",
  "UNREADABLE_FILE",
  "UNSAFE_PATH",
] as const;

/** The verifier as a page: what a browser does not give. */
const PAGE = ["NOT_IN_A_PAGE", "NOT_THIS_ORIGIN", "NO_MANIFEST"] as const;

/** Folders that results are written to. */
const OUTPUT = [
  "OUTPUT_EXISTS",
  "OUTPUT_FOLDER_IN_USE",
  "OUTPUT_FOLDER_NOT_OURS",
  "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
  "OUTPUT_FOLDER_WITHOUT_LOCKS",
] as const;

/** YAML files, and values in them that no schema takes. */
const YAML = ["INVALID_FIELD", "YAML_ALIAS", "YAML_NUMBER", "YAML_SYNTAX", "YAML_TOO_LARGE"] as const;

/** Formats of others whose content contradicts itself or their specification: the file is damaged, or made wrongly. */
const DAMAGED = [
  "BAD_ARCHIVE",
  "BAD_FILE",
  "BAD_SAFETENSORS",
  "BAD_TORCH_FILE",
  "DAMAGED_DATASET",
  "DAMAGED_FILE",
  "INVALID_NPY",
  "MALFORMED_JSON",
  "MALFORMED_TOKENIZER",
] as const;

/** Formats of others that are sound, but use what this kit cannot read, or will not. */
const UNSUPPORTED = [
  "COMPRESSED",
  "OTHER_FORMAT",
  "ROW_GROUP_TOO_LARGE",
  "UNKNOWN_FORMAT",
  "UNSAFE_PICKLE",
  "UNSUPPORTED_DATASET",
  "UNSUPPORTED_PARQUET",
  "UNSUPPORTED_SAFETENSORS",
  "UNSUPPORTED_TOKENIZER",
  "UNSUPPORTED_TORCH_FILE",
  "UNSUPPORTED_ZSTD",
] as const;

/** Documents, and the text, tokens and domains in them. */
const DOCUMENTS = [
  "DOCUMENT_TOO_LONG",
  "DOMAIN_NAME_TOO_LONG",
  "EXPANDS_TOO_FAR",
  "INVALID_META",
  "LINE_TOO_LONG",
  "MISSING_TEXT",
  "NO_TOKENIZER",
  "TOKENIZER_NOT_FETCHED",
  "TOKEN_TOO_LARGE",
  "TOO_MANY_DOMAINS",
  "TOO_MANY_VALUES",
  "UNKNOWN_DOMAIN",
  "UNKNOWN_TOKEN",
  "VOCABULARY_TOO_LARGE",
  "WORD_TOO_LONG",
] as const;

/** Corpora: what they are made of, and whether that suffices for a run. */
const CORPORA = [
  "CORPUS_EMPTY",
  "CORPUS_TOO_SHORT",
  "DUPLICATE_SOURCE",
  "INDEX_TOO_LARGE",
  "INVALID_DATA_SEED",
  "INVALID_ORDER_SEED",
  "INVALID_SEQUENCE_LENGTH",
  "INVALID_WEIGHT",
  "MISSING_CORPUS",
  "MISSING_INDEX",
  "MISSING_WEIGHT",
  "MIXED_FORMATS",
  "MIX_NAME_TAKEN",
  "MIX_NOT_GIVEN",
  "NO_SUCH_MIX",
  "OVER_BUDGET",
  "SOURCE_CHANGED",
  "TOO_FEW_SAMPLES",
  "TOO_FEW_VALIDATION_WINDOWS",
  "TOO_MANY_DATASETS",
  "TOO_MANY_DOCUMENTS",
  "UNKNOWN_CORPUS",
  "UNKNOWN_FAMILY",
  "UNKNOWN_SPLIT",
] as const;

/** What is pinned, and whether what was fetched is that. */
const PINNED = [
  "DATA_NOT_FETCHED",
  "DIGEST_MISMATCH",
  "LISTING_NOT_CACHED",
  "NOTHING_TO_FETCH",
  "NOT_LOCKED",
  "NO_DATA_FILES",
  "PACKAGE_NOT_FOUND",
  "PACKAGE_NOT_PINNED",
  "PACKAGE_VERSION_MISMATCH",
  "SIZE_MISMATCH",
] as const;

/** The Hub, and the way there. */
const HUB = [
  "HUB_ACCESS_DENIED",
  "HUB_NOT_FOUND",
  "HUB_UNEXPECTED_ANSWER",
  "HUB_UNREACHABLE",
  "INSECURE_ADDRESS",
  "INVALID_ADDRESS",
  "INVALID_REPOSITORY",
  "INVALID_TOKEN",
  "NO_NETWORK_PERMISSION",
  "RATE_LIMITED",
  "TOO_MANY_REDIRECTS",
] as const;

/** Experiments, scales and the plan made from them. */
const PLAN = [
  "ARM_END_NOT_EVALUATED",
  "ARM_LENGTH",
  "ARM_MODEL",
  "ARM_SCHEDULE",
  "ARM_START",
  "BAD_CHANGE",
  "BAD_SEEDS",
  "DUPLICATE_EXPERIMENT",
  "DUPLICATE_READING",
  "NO_DEDUPLICATED_PILE",
  "NO_PLAN",
  "NO_PRETRAINING",
  "PLAN_DAMAGED",
  "PLAN_TOO_LARGE",
  "UNKNOWN_ARM",
  "UNKNOWN_EXPERIMENT",
  "UNKNOWN_GPU",
  "UNKNOWN_READING",
  "UNKNOWN_SCALE",
  "UNKNOWN_SET",
  "UNUSED_READING",
] as const;

/** Models and their weights: checkpoints of our own, and those that others trained. */
const WEIGHTS = [
  "BAD_CHECKPOINT",
  "BAD_LICENSE",
  "BAD_MODEL_CONFIG",
  "CHECKPOINT_OF_ANOTHER_PLAN",
  "MODEL_TOO_LARGE",
  "NO_MODEL_CONFIG",
  "NO_OPTIMIZER_STATE",
  "NO_PENALTIES",
  "NO_SAFETENSORS",
  "NO_START_CHECKPOINT",
  "OTHER_MODEL",
  "UNKNOWN_CHECKPOINT",
  "UNKNOWN_MODEL",
  "WEIGHTS_CHANGED",
] as const;

/** Engines: their choice, and what they need of the machine. */
const ENGINES = [
  "BACKEND_UNAVAILABLE",
  "CUDA_FAILED",
  "CUDA_UNAVAILABLE",
  "DEVICE_REFUSED",
  "KERNELS_DO_NOT_COMPILE",
  "LIBRARY_DIFFERS",
  "NO_MATMUL_ALGORITHM",
  "NO_NATIVE_KERNELS",
  "OUT_OF_DEVICE_MEMORY",
  "TENSORFLOW_NOT_INSTALLED",
  "TOO_MANY_THREADS",
  "UNKNOWN_ARCHITECTURE",
  "UNKNOWN_BACKEND",
  "UNKNOWN_ENGINE",
  "UNKNOWN_KERNELS",
  "UNKNOWN_LINK",
] as const;

/** What a run leaves: journal, curves, results, and whether a run may be resumed from it. */
const RUNS = [
  "CONDITIONS_CHANGED",
  "CURVES_CHANGED",
  "CURVES_SYNTAX",
  "CURVES_TOO_LARGE",
  "JOURNAL_CHANGED",
  "JOURNAL_OF_EARLIER_VERSION",
  "JOURNAL_TOO_SHORT",
  "OTHER_JOURNAL",
  "RECORDS_DIFFER",
  "RULES_TOO_LARGE",
  "RUN_CONTRADICTORY",
  "RUN_IN_USE",
  "RUN_TAKEN_OVER",
  "TIME_LIMIT_TOO_SHORT",
  "UNKNOWN_RUN",
] as const;

/** Retraining what a manifest states, and comparing. */
const RETRAINING = [
  "BAD_RETRAIN_SEED",
  "BAD_SEGMENT",
  "BAD_SHARE",
  "CANNOT_COMPARE",
  "ENGINE_CANNOT_RETRAIN",
  "NOTHING_TO_RETRAIN",
  "RETRAINING_DIFFERS",
  "TOO_LARGE_TO_RETRAIN",
  "TOO_MANY_PIECES",
] as const;

/** Manifests, bundles and attestations. */
const EVIDENCE = [
  "ATTESTATION_EXISTS",
  "BAD_CERTIFICATES",
  "BAD_TIMESTAMP",
  "CANNOT_PROVE",
  "EVIDENCE_CHANGED",
  "IS_A_BUNDLE",
  "NOT_ENOUGH_REVIEWERS",
  "NOT_STATABLE",
  "NOT_VERIFIED",
  "NO_TIMESTAMP",
  "OWN_MANIFEST",
  "REVIEWER_TWICE",
  "TOO_MANY_SEGMENTS",
] as const;

/** The container image, and what it says of itself. */
const CONTAINER = ["BAD_IMAGE_DIGEST", "BAD_IMAGE_FILE", "IMAGE_LIBRARY_MISSING", "IMAGE_PLATFORM"] as const;

/** Schedulers of clusters, and what they take. */
const LAUNCH = ["NO_SCHEDULER", "REFUSED_NAME", "SCHEDULER_FAILED"] as const;

/** Programs of benchmarks/. */
const BENCHMARKS = ["NO_RESULTS", "UNKNOWN_PART"] as const;

/** Several ranks that share the steps of one run, and what connects them. */
const RANKS = [
  "MPI_FAILED",
  "MPI_UNAVAILABLE",
  "NOT_SHAREABLE",
  "NO_RANKS",
  "RANKS_CONTRADICT",
  "RANKS_DIFFER",
  "RANKS_SHARE_DEVICE",
  "RANK_ENDED",
  "RANK_SILENT",
  "TOO_MANY_RANKS",
] as const;

/** Keys that sign and verify. */
const KEYS = ["KEY_EXISTS", "KEY_REFUSED", "KEY_UNREADABLE", "SEVERAL_KEYS"] as const;

/** Every code that an error may have. */
export const ERROR_CODES = [
  ...COMMAND_LINE,
  ...MACHINE,
  ...FILES,
  ...PAGE,
  ...OUTPUT,
  ...YAML,
  ...DAMAGED,
  ...UNSUPPORTED,
  ...DOCUMENTS,
  ...CORPORA,
  ...PINNED,
  ...HUB,
  ...PLAN,
  ...WEIGHTS,
  ...ENGINES,
  ...RUNS,
  ...RETRAINING,
  ...EVIDENCE,
  ...CONTAINER,
  ...KEYS,
  ...LAUNCH,
  ...RANKS,
  ...BENCHMARKS,
] as const;

/** One of them, such as `DIGEST_MISMATCH`. */
export type ErrorCode = (typeof ERROR_CODES)[number];
