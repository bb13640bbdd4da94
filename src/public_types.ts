/** The types that the functions of mod.ts take and give, by where they come from. */

// Errors
export type { ErrorCode } from "./error_codes.ts";

// Digests and keys
export type { Digest } from "./digest/sha256.ts";
export type { SigningKey, VerifyingKey } from "./manifest/keys/keys.ts";

// Scales, runs and plans
export type { ModelConfig } from "./model/config.ts";
export type { PresetModel } from "./model/presets.ts";
export type { ScheduleKind, ScheduleSpecification } from "./schedule/specification.ts";
export type { ScheduleFrame } from "./schedule/schedule.ts";
export type { FamilyWeights, Phase, Scale, ScaleData } from "./experiment/scale/scale.ts";
export type {
  ArmReference,
  CorpusName,
  DeterminismLevel,
  EvaluationSpecification,
  ImportedStart,
  InitialWeights,
  OptimizerSpecification,
  PlannedRun,
  RunCheckpoint,
  RunKey,
  RunSpecification,
} from "./experiment/run/run.ts";
export type { CorpusDigests } from "./experiment/arm/mixes.ts";
export type { PenaltySpecification } from "./experiment/run/penalty.ts";
export type { Cost, PlanTotals } from "./experiment/plan/cost.ts";
export type { ExperimentFolders, ExperimentSet } from "./experiment/catalogue.ts";
export type { Plan, PlannedData, PlannedExperiment, PlanOptions } from "./experiment/plan/plan.ts";

// Engines and weights
export type { EngineDescription, SessionPenalty } from "./engine/engine.ts";
export type { Engine, Session, SessionOptions, StepResult, TrainingState, UpdateOutcome } from "./engine/engine.ts";
export type { DividedStep, Slice, UpdateInputs } from "./engine/divided_step.ts";
export type { TreeNode } from "./engine/ordered/nodes.ts";
export type { CudaEngineOptions } from "./engine/cuda/options.ts";
export type { CompileOptions } from "./engine/cuda/driver/compile_kernels.ts";
export type { DeviceProperties } from "./engine/cuda/driver/device_properties.ts";
export type { LibraryPlaces } from "./engine/cuda/driver/library_search.ts";
export type { MixedCudaEngineOptions } from "./engine/cuda/mixed/engine.ts";
export type { MixedPrecision } from "./engine/cuda/mixed/precision.ts";
export type { ExactEngineOptions, KernelChoice } from "./engine/exact/engine.ts";
export type { InstructionSet } from "./engine/exact/native/instruction_sets.ts";
export type { BackendName } from "./engine/tensorflow/backend_names.ts";
export type { BackendRefusal } from "./engine/tensorflow/choice.ts";
export type { TensorFlowEngine, TensorFlowEngineOptions } from "./engine/tensorflow/engine.ts";
export type { TensorFlowPackages } from "./engine/tensorflow/packages.ts";
export type { KernelCache } from "./engine/kernel_cache.ts";
export type { FmaKind, MemoryKind } from "./engine/exact/kernels.ts";
export type { ThreadOptions } from "./engine/exact/session.ts";
export type { Safetensors, SafetensorsEntry } from "./formats/safetensors/safetensors.ts";
export type { SafetensorsDtype } from "./formats/safetensors/safetensors_header.ts";
export type { WeightsSource } from "./model/weights_source.ts";
export type { ExportOptions } from "./model/hugging_face_export.ts";
export type { CheckpointInfo } from "./train/checkpoint/checkpoint.ts";
export type { CheckpointWeights, OpenCheckpointOptions } from "./train/checkpoint/checkpoint_weights.ts";
export type { OpenedWeights } from "./train/checkpoint/open_weights.ts";
export type { GenerationOptions } from "./inference/generate.ts";
export type { SamplingOptions } from "./inference/next_token.ts";

// A reproduction and its progress
export type { Share } from "./retrain/share.ts";
export type { SignOptions } from "./attestation/sign.ts";
export type { RunTrainer } from "./manifest/format/run.ts";
export type { Calibration } from "./reproduce/calibrate.ts";
export type { ReproduceEvents, ReproduceOptions, Reproduction } from "./reproduce/options.ts";
export type { CorpusFiles, DataProgress } from "./data/options.ts";
export type { Outcome, RecordedState, RunRecord } from "./train/folder/run_folder.ts";
export type { ConditionPeriod, Conditions } from "./train/conditions.ts";
export type { DoneRun, RunResult } from "./train/train_plan.ts";
export type { RunProgress } from "./train/run_environment.ts";

// Curves and claims
export type { ArmCurves } from "./results/arm_curves.ts";
export type { NamedNumber, Verdict, VerdictName } from "./results/claims.ts";
export type { Estimate, EstimateInterval, EstimateRow } from "./results/estimates/estimate.ts";
export type { EstimateUnit } from "./results/estimates/measure_kind.ts";
export type { ComparisonKind, ComparisonRow } from "./results/compare_numbers.ts";
export type { CurvePoint, Curves, DocumentLoss, PerCorpus, ValidationSet } from "./results/curves.ts";
export type { ClaimsFormat } from "./results/format_claims.ts";
export type { Evidence } from "./results/rules/assessment.ts";

// Manifests and their verification
export type {
  CorpusFacts,
  DataFacts,
  EngineFacts,
  Environment,
  Facts,
  Predicate,
  PredicateType,
  ReportArtefact,
  SeedFacts,
  Statement,
} from "./manifest/format/predicate.ts";
export type {
  Artefact,
  JournalArtefact,
  ManifestRun,
  MerkleTreeHead,
  RetrainedSegment,
  RunOrigin,
  SkippedRun,
  StateEvidence,
  TrainedRun,
} from "./manifest/format/run.ts";
export type { Container, ImageFacts, NamedDigest, NoContainer } from "./container/facts.ts";
export type { RunPart } from "./manifest/format/run_tree.ts";
export type { OpenedManifest } from "./manifest/verify/open_manifest.ts";
export type { CheckpointPart, Inclusion, InclusionProof } from "./manifest/verify/inclusion.ts";
export type {
  Bits,
  Bits64,
  DivergenceRecord,
  EvaluationRecord,
  JournalRecord,
  SkipRecord,
  StateRecord,
  StepRecord,
} from "./train/journal/journal_record.ts";
export type { JournalFormat } from "./train/journal/journal_header.ts";
export type {
  Review,
  Signer,
  StepName,
  StepOutcome,
  VerificationReport,
  VerificationStep,
} from "./manifest/verify/verification_report.ts";
export type {
  AttestationsOutcome,
  AttestedManifest,
  CheckTimestamps,
  CountAttestations,
  Retrain,
  RetrainingOutcome,
  TimestampsOutcome,
  VerifyOptions,
} from "./manifest/verify/verify_options.ts";
export type { ArtefactFolder, ArtefactReader } from "./manifest/verify/artefacts.ts";
export type { ClaimEvidence, Judge, Judgement } from "./manifest/verify/verify_claims.ts";
export type { PageEvidence, ReportRenderer } from "./manifest/verify/verify_report.ts";
export type { TrustedKey } from "./manifest/verify/verify_signature.ts";
export type { FileHandle, FileStatus, FileSystem, OpenMode } from "./files/file_system.ts";

// Retraining
export type { RetrainCount, RetrainFoundChoice, RetrainFoundEvents } from "./reproduce/retrain_found.ts";
export type {
  Retraining,
  RetrainingChoice,
  RetrainingEvents,
  RetrainingOptions,
  RetrainingPieces,
} from "./retrain/retrain.ts";
export type { RetrainingSeed } from "./retrain/choice.ts";
export type { RetrainingDifference, RetrainingField } from "./retrain/difference.ts";
export type { Segment } from "./retrain/segment.ts";
export type { SegmentWork } from "./retrain/trainer.ts";

// Reviews
export type { AttestOptions } from "./attestation/attest.ts";
export type { VerificationFindings } from "./attestation/build.ts";
export type { AttestationDemand } from "./attestation/require.ts";

// Bundles
export type { Bundle, BundleOptions } from "./bundle/bundle.ts";
export type { Timestamp } from "./timestamp/timestamp.ts";
export type { LeftCompanion } from "./bundle/timestamps.ts";

// Plans
export type { Shortage } from "./data/shortage.ts";
export type { OddRows } from "./data/text/odd_rows.ts";
export type { ModelPreset } from "./model/presets.ts";
export type { ReplaySpecification } from "./experiment/run/replay.ts";
export type { ScaleChanges } from "./experiment/scale/change_scale.ts";
export type { Readings } from "./experiment/readings.ts";
export type { DownstreamDataset, ScaleStart, UpstreamDataset } from "./experiment/scale/scale.ts";
export type { ImportedCheckpoint, PlannedStart, StartChoice } from "./experiment/arm/start.ts";
export type { Replan, Replanned } from "./manifest/verify/verify_options.ts";
export type { OpenImported } from "./train/checkpoint/imported_weights.ts";
