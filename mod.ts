/**
 * rewarm reproduces *Continual Pre-Training of Large Language Models: How to (re)warm your model?* (arXiv 2308.04014)
 * bit for bit: it plans the paper's ablations at a scale, trains them deterministically, judges the paper's claims, and
 * signs a manifest that anyone can check.
 *
 * @example What would be trained
 * ```ts
 * import { formatPlan, plan } from "./mod.ts";
 *
 * const paper = await plan({
 *   scale: "paper",
 *   seeds: 1,
 *   engine: { level: "machine_to_machine", arithmetic: "ordered-f32/1" },
 * });
 * console.log(paper.totals.runs, formatPlan(paper).split("\n")[0]);
 * ```
 *
 * @example Reproduce one experiment, and verify what it left
 * ```ts
 * import { createExactEngine, generateSigningKey, paperRules, reproduce, sha256, verify } from "./mod.ts";
 *
 * const key = await generateSigningKey();
 * const engine = await createExactEngine({ threads: 2, sha256 });
 * const { manifestPath } = await reproduce({
 *   scale: "smoke",
 *   only: ["warmup-length"],
 *   engine,
 *   threads: 2,
 *   output: await Deno.makeTempDir(),
 *   signingKey: () => Promise.resolve(key),
 * });
 * const { verdict } = await verify(manifestPath, { judge: await paperRules() });
 * console.log(verdict); // verified
 * ```
 *
 * @example Retrain pieces of what someone signed, and compare every bit
 * ```ts ignore
 * import { createExactEngine, paperRules, retrain, sha256 } from "./mod.ts";
 *
 * const { report, choice, difference } = await retrain("out/tiny/manifest.dsse.json", {
 *   pieces: { kind: "random", count: 5 },
 *   engine: () => createExactEngine({ threads: 2, sha256 }),
 *   judge: await paperRules(),
 * });
 * console.log(report.verdict, choice?.seed, choice?.worth, difference);
 * ```
 *
 * @example Show one record of a journal, and check it with nothing but the signed manifest
 * ```ts ignore
 * import { openManifest, proveInclusion, verifyInclusion } from "./mod.ts";
 *
 * const { bytes, artefacts } = await openManifest("out/tiny");
 * const part = { run: "upstream_pretrain_seed-0", kind: "step", step: 100 } as const;
 * const proof = await proveInclusion(bytes, artefacts, part);
 *
 * const shown = await verifyInclusion(bytes, JSON.parse(JSON.stringify(proof)));
 * if (shown.included) console.log(shown.run.label, shown.part, shown.signers);
 * ```
 *
 * @example Attest what you verified as a reviewer, and demand what others attested
 * ```ts ignore
 * import { attest, paperRules, readReviewers, readSigningKey, requireAttestations, verify } from "./mod.ts";
 *
 * const manifest = "out/tiny/manifest.dsse.json";
 * const report = await verify(manifest, { judge: await paperRules() });
 * await attest(manifest, { report }, { key: await readSigningKey("reviewer.pem") });
 *
 * const reviewers = await readReviewers("reviewers.yaml");
 * const countAttestations = requireAttestations({ count: 2, reviewers });
 * const { verdict } = await verify(manifest, { judge: await paperRules(), countAttestations });
 * ```
 *
 * @example Pack it all into one archive, and check that where it lies
 * ```ts ignore
 * import { bundle, paperRules, verify } from "./mod.ts";
 *
 * const judge = await paperRules();
 * const { path, sha256 } = await bundle("out/tiny", { output: "tiny.tar", judge });
 * const { verdict } = await verify(path, { judge });
 * console.log(sha256, verdict);
 * ```
 *
 * @module
 */
import { paperJudge } from "./src/results/paper_judge.ts";
import type { Judge } from "./src/manifest/verify/verify_claims.ts";
import type { ReportRenderer } from "./src/manifest/verify/verify_report.ts";
import { manifestRenderer } from "./src/report/manifest_renderer.ts";
import { loadPaper, PAPER_FILE } from "./src/reproduce/paper_file.ts";

export { buildPlan as plan } from "./src/experiment/plan/plan.ts";
export { formatPlan } from "./src/experiment/plan/plan_text.ts";
export { learningRate, learningRateTable } from "./src/schedule/learning_rate.ts";

export { createMixedCudaEngine } from "./src/engine/cuda/mixed/engine.ts";
export { createOrderedCudaEngine } from "./src/engine/cuda/ordered/engine.ts";
export { createTensorFlowEngine, describeBackend } from "./src/engine/tensorflow/engine.ts";
export { createExactEngine } from "./src/engine/exact/engine.ts";
export { flopsPerToken, nonEmbeddingParameterCount, parameterCount } from "./src/model/config.ts";
export { parseHuggingFaceConfig } from "./src/model/hugging_face.ts";
export { loadWeights } from "./src/model/hugging_face_tensors.ts";
export { exportHuggingFace } from "./src/model/hugging_face_export.ts";
export { readWeights, weightsDigest } from "./src/model/weights_source.ts";
export { writeWeightsFile } from "./src/model/weights_file.ts";
export { openWeights } from "./src/train/checkpoint/open_weights.ts";
export { openForInference } from "./src/inference/open_for_inference.ts";
export { generate } from "./src/inference/generate.ts";
export { parseSafetensors } from "./src/formats/safetensors/safetensors.ts";

export { reproduce } from "./src/reproduce/reproduce.ts";
export { Interrupted } from "./src/train/run_environment.ts";
export { VERDICT_NAMES } from "./src/results/claims.ts";
export { formatClaims } from "./src/results/format_claims.ts";

export { verifyManifestFile as verify } from "./src/manifest/verify/verify_file.ts";
export { proveInclusion, verifyInclusion } from "./src/manifest/verify/inclusion.ts";
export { openManifest } from "./src/manifest/verify/open_manifest.ts";
export { retrain } from "./src/retrain/retrain.ts";
export { attest } from "./src/attestation/attest.ts";
export { checkTimestamps } from "./src/timestamp/check.ts";
export { timestampRequest } from "./src/timestamp/request.ts";
export { parseRoots } from "./src/timestamp/roots.ts";
export { readTimestamp } from "./src/timestamp/token.ts";
export { requireAttestations } from "./src/attestation/require.ts";
export { readReviewers } from "./src/attestation/reviewers.ts";
export { bundle } from "./src/bundle/bundle.ts";
export { formatVerification, VERIFICATION_STEPS } from "./src/manifest/verify/verification_report.ts";
export { PREDICATE_TYPE, STATEMENT_TYPE } from "./src/manifest/format/predicate.ts";
export { generateSigningKey } from "./src/manifest/keys/keys.ts";
export { readSigningKey } from "./src/manifest/keys/key_file.ts";

export { sha256 } from "./src/digest/sha256.ts";
export { ERROR_CODES } from "./src/error_codes.ts";
export { EXIT, hasCode, UserError } from "./src/errors.ts";

export type * from "./src/public_types.ts";

/**
 * A renderer of the page beside a manifest, for {@linkcode verify}: the page is made again and compared.
 *
 * @throws {UserError} if `experiments/paper.yaml` cannot be read
 */
export async function pageRenderer(): Promise<ReportRenderer> {
  return manifestRenderer((await loadPaper()).text);
}

/**
 * The rules of `experiments/paper.yaml`, for {@linkcode verify}: claims are judged by them again.
 *
 * @throws {UserError} if the file is not valid
 */
export async function paperRules(): Promise<Judge> {
  return paperJudge((await loadPaper()).text, PAPER_FILE);
}
