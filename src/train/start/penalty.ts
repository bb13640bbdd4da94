/** What a run's penalty pulls towards, and how strongly: both are functions of the run's start and of pinned windows. */
import type { Engine, Session } from "../../engine/engine.ts";
import { UserError } from "../../errors.ts";
import type { PlannedRun } from "../../experiment/run/run.ts";
import { type Corpora, requireCorpus } from "../evaluation/evaluation.ts";

/**
 * Anchors the penalty of a run, if it has one, at the weights that its session holds: those that it starts from.
 *
 * @throws {UserError} if the data are not those planned, or cannot be read
 */
export async function anchorPenalty(
  { specification }: Pick<PlannedRun, "specification">,
  session: Session,
  corpora: Corpora,
): Promise<void> {
  const { penalty } = specification;
  if (penalty === undefined) return;
  if (session.anchor === undefined) throw new Error("The session has no penalty");
  const importance = penalty.kind === "ewc"
    ? await fisherDiagonal(specification, session, corpora, penalty.fisherWindows)
    : undefined;
  await session.anchor(importance);
}

/**
 * Diagonal of the empirical Fisher information: the mean over windows of the squared gradient of a window's mean loss.
 * Sums in doubles, window by window, rounded once to f32. A session takes whole batches: one of a single window repeated
 * has the gradient of that window.
 */
async function fisherDiagonal(
  { validation, orderSeed, batchSequences }: PlannedRun["specification"],
  session: Session,
  corpora: Corpora,
  windows: number,
): Promise<Float32Array> {
  const upstream = requireCorpus(corpora, "upstream", validation.upstream);
  let sums = new Float64Array(0);
  for (let k = 0; k < windows; k++) {
    const { tokens } = await upstream.batch(k, 1, orderSeed);
    const batch = new Uint16Array(tokens.length * batchSequences);
    for (let i = 0; i < batchSequences; i++) batch.set(tokens, i * tokens.length);
    const { gradient } = await session.gradient(batch);
    if (k === 0) sums = new Float64Array(gradient.length);
    for (let i = 0; i < gradient.length; i++) {
      const value = gradient[i] as number;
      sums[i] = (sums[i] as number) + value * value;
    }
  }
  return Float32Array.from(sums, (sum) => sum / windows);
}

/**
 * Refuses runs with a penalty before anything is trained, where the engine computes none.
 *
 * @throws {UserError} `NO_PENALTIES`
 */
export function requirePenalties(
  runs: readonly Pick<PlannedRun, "label" | "specification">[],
  { name, penalties }: Pick<Engine, "name" | "penalties">,
): void {
  if (penalties === true) return;
  const penalised = runs.filter(({ specification }) => specification.penalty !== undefined);
  const [first] = penalised;
  if (first === undefined) return;
  throw new UserError(
    "NO_PENALTIES",
    `Run "${first.label}"${penalised.length > 1 ? ` and ${penalised.length - 1} more` : ""} ` +
      `${penalised.length > 1 ? "have" : "has"} a penalty, which the engine "${name}" does not compute`,
    "use --engine exact, or choose other arms with --only",
  );
}
