/** What every session checks of its calls: that none overlap, and that tokens have the shape and range they must have. */
import type { ModelConfig } from "../model/config.ts";

/** Lets one call at a time through. */
export class SessionCalls {
  #busy = false;
  #failure: Error | undefined;

  /** Why no call is let through any more, if that is so. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Refuses every later call; the first reason stays. */
  end(reason: Error): void {
    this.#failure ??= reason;
  }

  /**
   * Runs a call, unless another is under way: it would touch the memory that the running one reads.
   *
   * @throws {Error} if calls overlap or the session has ended
   */
  async exclusively<T>(call: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#busy) throw new Error("Calls of a session must not overlap");
    this.#busy = true;
    try {
      return await call();
    } finally {
      this.#busy = false;
    }
  }
}

/** @throws {RangeError} if a token is no row of the embedding */
function requireVocabulary(tokens: Uint16Array, { vocabularySize }: ModelConfig): void {
  for (const token of tokens) {
    if (token >= vocabularySize) throw new RangeError(`Token ${token} is outside the vocabulary of ${vocabularySize}`);
  }
}

/** @throws {RangeError} unless tokens are (sequences, T + 1) of the vocabulary */
export function requireBatch(tokens: Uint16Array, model: ModelConfig, sequences: number): void {
  const expected = sequences * (model.sequenceLength + 1);
  if (tokens.length !== expected) throw new RangeError(`A batch has ${expected} tokens, not ${tokens.length}`);
  requireVocabulary(tokens, model);
}

/**
 * Windows in tokens (windows, T + 1).
 *
 * @throws {RangeError} unless they are whole windows of the vocabulary
 */
export function countWindows(tokens: Uint16Array, model: ModelConfig): number {
  const width = model.sequenceLength + 1;
  const windows = tokens.length / width;
  if (!Number.isInteger(windows)) throw new RangeError(`${tokens.length} tokens are not whole windows of ${width}`);
  requireVocabulary(tokens, model);
  return windows;
}

/** @throws {RangeError} unless tokens are (T) of the vocabulary */
export function requireWindow(tokens: Uint16Array, model: ModelConfig): void {
  if (tokens.length !== model.sequenceLength) {
    throw new RangeError(`A window has ${model.sequenceLength} tokens, not ${tokens.length}`);
  }
  requireVocabulary(tokens, model);
}
