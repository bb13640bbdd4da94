/** What a run leaves for the claims to be judged by: validation losses over steps. */

/** One evaluation of both validation sets, before the optimizer step of the same number. */
export interface CurvePoint {
  /** optimizer steps done */
  readonly step: number;
  /** training tokens seen: step · tokensPerStep */
  readonly tokens: number;
  /** learning rate of the step about to be done, or of the last one at the end of the run */
  readonly learningRate: number;
  /** mean negative log-likelihood of the upstream validation windows, nats a token */
  readonly upstream: number;
  /** the same of the downstream validation windows */
  readonly downstream: number;
}

/** The curve of a run, ascending by step. Stored as `curves.json`. */
export interface Curves {
  /** of the run */
  readonly runKey: string;
  /** the run's name in its plan */
  readonly label: string;
  /** batch times window length */
  readonly tokensPerStep: number;
  /** bytes of validation text a token stands for, to turn nats a token into bits a byte */
  readonly bytesPerToken: { readonly upstream: number; readonly downstream: number };
  /** evaluations, at most one a step */
  readonly points: readonly CurvePoint[];
  /** set when the loss became NaN or infinite: the run ended there */
  readonly diverged?: { readonly step: number; readonly loss: string };
}

/** The evaluation at a step, by bisection: a curve may have a hundred thousand. */
export function pointAt({ points }: Pick<Curves, "points">, step: number): CurvePoint | undefined {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle]?.step ?? Infinity) < step) low = middle + 1;
    else high = middle;
  }
  const point = points[low];
  return point?.step === step ? point : undefined;
}
