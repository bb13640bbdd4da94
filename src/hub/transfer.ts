/** The bytes of one file into its partial file: ranges side by side, or in one piece where the server knows no ranges. */
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import { type Answer, asUserError, type HubConnection, shownAddress } from "./connection.ts";
import type { Part, PartialFile } from "./partial_file.ts";
import { PassingFailure, retry } from "./retry.ts";
import { eachOf } from "./slots.ts";

/** The server sent the whole file where a part was asked for. */
class RangesIgnored extends Error {}

/** Two answers belong to different contents. */
class ContentChanged extends Error {}

/**
 * Fetches the parts that are missing. Whether they are the right bytes is for their digest to say.
 *
 * @param onBytes called when some have come
 * @throws {UserError} `SIZE_MISMATCH`, `HUB_UNREACHABLE`, and as the connection throws
 */
export async function transfer(
  connection: HubConnection,
  address: URL,
  partial: PartialFile,
  onBytes: () => void,
  signal?: AbortSignal,
): Promise<void> {
  const attempt = async (watchTags: boolean) => {
    const source = new Source(connection, address, partial, onBytes, watchTags);
    try {
      await eachOf(
        partial.missing(),
        connection.connections,
        (part, stop) => source.fetchPart(part, stop),
        signal,
      );
    } catch (error) {
      if (!(error instanceof RangesIgnored)) throw asUserError(error);
      await source.fetchWhole(signal).catch((error) => Promise.reject(asUserError(error)));
    }
  };
  try {
    await attempt(true);
  } catch (error) {
    if (!(error instanceof ContentChanged)) throw error;
    // What has come may be of two contents. The second time storage hosts merely disagree about tags.
    await partial.restart();
    await attempt(false);
  }
}

/** Failures of direct links after which only the hub is asked: it may sign a link for one range alone. */
const MAX_DIRECT_FAILURES = 3;

class Source {
  /** a link to the storage host, so that not every part has to ask the hub */
  #direct: URL | undefined;
  #directFailures = 0;
  #tag: string | undefined;

  constructor(
    private readonly connection: HubConnection,
    private readonly address: URL,
    private readonly partial: PartialFile,
    private readonly onBytes: () => void,
    private readonly watchTags: boolean,
  ) {}

  async fetchPart(part: Part, signal: AbortSignal): Promise<void> {
    let at = part.start;
    const attempt = async () => {
      const address = this.#direct ?? this.address;
      const range = [at, part.end] as const;
      try {
        await this.connection.once({ address, range, signal }, async (answer) => {
          this.#requireRange(answer, range);
          for await (const bytes of answer.body) {
            if (at + bytes.length > part.end) {
              throw new PassingFailure(`${shownAddress(answer.address)} sent more bytes than were asked for`);
            }
            await this.partial.write(part, at, bytes);
            at += bytes.length;
            this.onBytes();
          }
          if (at < part.end) throw new PassingFailure(`${shownAddress(answer.address)} stopped after ${at} bytes`);
          if (this.#directFailures < MAX_DIRECT_FAILURES) this.#direct = answer.address;
        });
      } catch (error) {
        if (address !== this.address) this.#directFailures++;
        this.#direct = undefined;
        throw error;
      }
    };
    await retry(this.connection.policy, attempt, { progress: () => at, signal });
    await this.partial.finish(part);
  }

  async fetchWhole(signal?: AbortSignal): Promise<void> {
    const { bytes: size } = this.partial;
    let reached = 0;
    const request = { address: this.address, signal };
    const attempt = () =>
      this.connection.once(request, async (answer) => {
        this.#requirePlain(answer);
        const announced = answer.headers.get("content-length");
        if (announced !== null && Number(announced) !== size) throw this.#wrongSize(answer, announced);
        const parts = this.partial.parts();
        let part = parts.next().value ?? undefined;
        let at = 0;
        for await (let bytes of answer.body) {
          if (at + bytes.length > size) throw this.#wrongSize(answer, `${at + bytes.length} or more`);
          while (bytes.length > 0 && part !== undefined) {
            const piece = bytes.subarray(0, part.end - at);
            await this.partial.write(part, at, piece);
            bytes = bytes.subarray(piece.length);
            at += piece.length;
            if (at < part.end) continue;
            await this.partial.finish(part);
            part = parts.next().value ?? undefined;
          }
          reached = Math.max(reached, at);
          this.onBytes();
        }
        if (at < size) throw new PassingFailure(`${shownAddress(answer.address)} stopped after ${at} bytes`);
      });
    await retry(this.connection.policy, attempt, {
      progress: () => reached,
      signal,
    });
  }

  #requireRange(answer: Answer, [start, end]: readonly [number, number]): void {
    const { status, headers, address } = answer;
    this.#requirePlain(answer);
    const field = headers.get("content-range") ?? "";
    const { size, first, last } = /^bytes (?:(?<first>\d+)-(?<last>\d+)|\*)\/(?<size>\d+)$/.exec(field)?.groups ?? {};
    if (size !== undefined && Number(size) !== this.partial.bytes) throw this.#wrongSize(answer, size);
    if (status === 200) throw new RangesIgnored();
    if (status !== 206 || Number(first) !== start || Number(last) !== end - 1) {
      throw new PassingFailure(
        `${shownAddress(address)} answers to bytes ${start} to ${end - 1} with status ${status} and "${
          printable(field)
        }"`,
      );
    }
  }

  #requirePlain({ headers, address }: Answer): void {
    const encoding = headers.get("content-encoding") ?? "identity";
    if (encoding !== "identity") {
      throw new PassingFailure(`${shownAddress(address)} is sent as "${printable(encoding)}", which was not asked for`);
    }
    const tag = headers.get("etag")?.replace(/^W\//, "");
    if (tag === undefined || !this.watchTags) return;
    if (this.#tag !== undefined && this.#tag !== tag) throw new ContentChanged();
    this.#tag = tag;
  }

  #wrongSize({ address }: Answer, found: string): UserError {
    return new UserError(
      "SIZE_MISMATCH",
      `${shownAddress(address)} has ${found} bytes, but ${this.partial.bytes} were announced`,
      'nothing of it is used; if the repository was changed on purpose, see "deno task data lock --help"',
    );
  }
}
