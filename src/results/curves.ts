/** What a run leaves for the claims to be judged by: validation losses over steps. */

/** What the evaluated windows of one validation document lost. */
export interface DocumentLoss {
  /** predicted tokens of the document; two evaluations saw the same text only where these agree */
  readonly tokens: number;
  /** sum of the negative log-likelihoods of those tokens, nats */
  readonly loss: number;
}

/** Something for each of the two validation sets. */
export interface PerCorpus<T> {
  /** of the corpus before the shift */
  readonly upstream: T;
  /** of the corpus after it */
  readonly downstream: T;
}

/** Of what a run's validation windows of one corpus consist. */
export interface ValidationSet {
  /** in the order of their losses; weights are those of the blend that is trained on, and sum to 1 */
  readonly domains: readonly {
    /** such as `node` */
    readonly name: string;
    /** share of the windows that are trained on */
    readonly weight: number;
  }[];
  /**
   * those that a window of the sample begins in, which every evaluation reads: in the order of their losses, which is that
   * of domains and documents; absent where no losses by document are kept
   */
  readonly sampledDocuments?: readonly {
    /** place in `domains` */
    readonly domain: number;
    /** number of the document in its domain */
    readonly document: number;
    /** tokens predicted in the sampled windows that begin in it */
    readonly tokens: number;
  }[];
  /** those that any window begins in, in the order of their losses; absent where no losses by document are kept */
  readonly documents?: readonly {
    /** place in `domains` */
    readonly domain: number;
    /** tokens predicted in the windows that begin in it */
    readonly tokens: number;
  }[];
}

/** One evaluation of both validation sets, before the optimizer step of the same number. */
export interface CurvePoint {
  /** optimizer steps done */
  readonly step: number;
  /** training tokens seen: step · tokensPerStep */
  readonly tokens: number;
  /** learning rate of the step about to be done, or of the last one at the end of the run */
  readonly learningRate: number;
  /** mean negative log-likelihood of the upstream validation windows, the same ones at every evaluation, nats a token */
  readonly upstream: number;
  /** the same of the downstream validation windows */
  readonly downstream: number;
  /** the same windows by domain, in the order of the {@linkcode ValidationSet}; null for one without a window */
  readonly domains?: PerCorpus<readonly (number | null)[]>;
  /**
   * The same windows by document: sums of their losses, nats, in the order of the {@linkcode ValidationSet}. The means
   * above follow from them (`sampleMeans` of `document_losses.ts`), and the sampling error of whatever is read between
   * landmarks.
   */
  readonly sampledDocuments?: PerCorpus<readonly number[]>;
  /**
   * Losses by document, always in the same order: of all validation windows, where claims look (at the start and at
   * landmarks, which arms end at). From these follows the sampling error of what is read there. `document_losses.ts` says
   * the mean that they make.
   */
  readonly documents?: PerCorpus<readonly DocumentLoss[]>;
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
  /** what the validation windows are; absent in versions 1 and 2 of the journal's format */
  readonly validation?: PerCorpus<ValidationSet>;
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
