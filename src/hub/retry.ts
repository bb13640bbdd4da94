/** Trying again: what passes by itself, how long to wait, and when to give up. */

/** A failure that may pass by itself: a connection that broke, a server that is busy, an answer that makes no sense. */
export class PassingFailure extends Error {
  override readonly name = "PassingFailure";

  /** @param waitMilliseconds how long the server asks to be left alone */
  constructor(message: string, readonly waitMilliseconds?: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/** How often and how patiently something is tried. */
export interface RetryPolicy {
  /** failures in a row, without any progress between them, after which the last one is thrown */
  readonly failures: number;
  /** milliseconds of the first pause; each further one is twice as long */
  readonly firstPause: number;
  /** milliseconds of the longest pause that is taken unasked */
  readonly longestPause: number;
}

/** Seven failures in a row take about a minute. */
export const PATIENT: RetryPolicy = { failures: 7, firstPause: 1000, longestPause: 30_000 };

/** A random share of [0.5, 1), so that many clients do not come back at the same moment. */
function jitter(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return 0.5 + word / 2 ** 33;
}

/** Milliseconds to pause after some failures in a row, at least what the server asked for. */
export function pauseAfter(policy: RetryPolicy, failures: number, asked = 0): number {
  const grown = Math.min(policy.firstPause * 2 ** (failures - 1), policy.longestPause);
  return Math.max(asked, Math.round(grown * jitter()));
}

/** Resolves after some milliseconds; rejects with the signal's reason if it aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Calls `attempt` until it succeeds.
 *
 * @param progress a number that grows as work is done; where it has grown since, a failure counts as the first
 * @throws what `attempt` throws, if it is no {@linkcode PassingFailure} or came too often in a row
 */
export async function retry<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  { progress = () => 0, signal }: { progress?: () => number; signal?: AbortSignal } = {},
): Promise<T> {
  let failures = 0, reached = progress();
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      if (progress() > reached) failures = 0;
      reached = progress();
      if (++failures >= policy.failures) throw error;
      await pause(pauseAfter(policy, failures, error.waitMilliseconds), signal);
    }
  }
}

/**
 * Milliseconds that a server asks to be left alone: `Retry-After` in seconds or as an HTTP date, else the seconds `t`
 * of `RateLimit`, which Hugging Face sends; `undefined` if it asks for nothing.
 *
 * @param now milliseconds since 1970
 * @see RFC 9110, section 10.2.3
 */
export function askedWait(headers: Headers, now: number): number | undefined {
  const after = headers.get("retry-after")?.trim();
  if (after !== undefined && /^\d{1,9}$/.test(after)) return 1000 * Number(after);
  const date = after === undefined ? NaN : Date.parse(after);
  if (!Number.isNaN(date)) return Math.max(0, date - now);
  const window = /(?:^|;)\s*t=(\d{1,9})/.exec(headers.get("ratelimit") ?? "")?.[1];
  return window === undefined ? undefined : 1000 * Number(window);
}
