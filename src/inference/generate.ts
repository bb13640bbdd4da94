/** Generating a text token by token from a model in an engine. */
import type { Session } from "../engine/engine.ts";
import type { ModelConfig } from "../model/config.ts";
import { chooseToken, type SamplingOptions } from "./next_token.ts";

/** What is generated, and when it ends. */
export interface GenerationOptions extends SamplingOptions {
  /** at most so many tokens */
  readonly tokens: number;
  /** ids below it may be chosen: rows of padding above the tokenizer's ids stand for nothing */
  readonly vocabularySize: number;
  /** ends the text; not handed out */
  readonly endOfText: number;
}

/**
 * The window that a text of some tokens needs: shorter ones compute less, and the logits are the same, since attention
 * looks back only and positions count from the window's start.
 *
 * @param tokens of the prompt and after it
 * @returns a multiple of 8, at most the model's own window
 */
export function generationWindow(model: ModelConfig, tokens: number): number {
  return Math.min(model.sequenceLength, Math.max(8, Math.ceil(tokens / 8) * 8));
}

/**
 * Generates the tokens after a prompt, one at a time. A text longer than the window is continued from its last tokens.
 *
 * @param session holds the model's weights
 * @param window tokens that the session was opened for, T
 * @param prompt at least one token
 * @throws {RangeError} if the prompt is empty, a logit is not finite, or an option is out of its range
 */
export async function* generate(
  session: Pick<Session, "logits">,
  window: number,
  prompt: ArrayLike<number>,
  options: GenerationOptions,
): AsyncGenerator<number, void> {
  const text = Array.from(prompt);
  if (text.length === 0) throw new RangeError("A prompt needs at least one token");
  for (let index = 0; index < options.tokens; index++) {
    const seen = text.slice(-window);
    const tokens = new Uint16Array(window); // what follows the text is never looked at
    tokens.set(seen);
    const logits = await session.logits(tokens); // (window, rows of the output head)
    const first = (seen.length - 1) * (logits.length / window);
    const token = chooseToken(logits.subarray(first, first + options.vocabularySize), options, index);
    if (token === options.endOfText) return;
    yield token;
    text.push(token);
  }
}
