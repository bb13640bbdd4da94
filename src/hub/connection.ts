/**
 * Requests to the hub: redirects followed by hand, so that the token goes to the hub alone and nothing goes over plain
 * HTTP; rate limits kept by all requests together; a server that falls silent is given up.
 */
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import { HUB_ENDPOINT } from "./repository.ts";
import { askedWait, PassingFailure, PATIENT, pause, retry, type RetryPolicy } from "./retry.ts";
import { Slots } from "./slots.ts";

/** Redirects of one request; the hub itself needs two. */
const MAX_REDIRECTS = 5;
/** A server that asks for more patience than this is not waited for. */
const MAX_ASKED_WAIT = 15 * 60_000;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** How the hub is reached. */
export interface HubOptions {
  /** `https://huggingface.co` if not given; `http://` only on this machine, for tests */
  readonly endpoint?: string;
  /** of a Hugging Face account, for what is not public and for higher rate limits */
  readonly token?: string;
  /** requests at once; 8 if not given */
  readonly connections?: number;
  readonly policy?: RetryPolicy;
  /** milliseconds without a byte after which a request is given up; a minute if not given */
  readonly silence?: number;
  /** told, once for each message, of what a person should know and need not act upon */
  readonly onNotice?: (message: string) => void;
}

/** What is asked for. */
export interface Request {
  readonly address: URL;
  /** first byte and the one after the last */
  readonly range?: readonly [start: number, end: number];
  readonly signal?: AbortSignal;
}

/** A good answer, while its body is read. */
export interface Answer {
  /** 200, or where a range was asked for 206 or 416 as well */
  readonly status: number;
  readonly headers: Headers;
  /** where it came from, after all redirects */
  readonly address: URL;
  /** the bytes as sent, without any decoding */
  readonly body: AsyncIterable<Uint8Array>;
}

/** An address as messages show it: signed links carry secrets behind the question mark. */
export function shownAddress({ origin, pathname }: URL): string {
  return printable(`${origin}${pathname}`, 300);
}

/** Requests with one token, one set of slots and one rate limit. */
export class HubConnection {
  readonly endpoint: string;
  readonly policy: RetryPolicy;
  /** requests at once */
  readonly connections: number;
  readonly #origin: string;
  readonly #isLocal: boolean;
  readonly #token: string | undefined;
  readonly #silence: number;
  readonly #slots: Slots;
  readonly #onNotice: (message: string) => void;
  readonly #noticed = new Set<string>();
  /** no request is sent before this moment, in milliseconds since 1970 */
  #notBefore = 0;

  /** @throws {UserError} `INSECURE_ADDRESS`, `INVALID_TOKEN` */
  constructor(
    {
      endpoint = HUB_ENDPOINT,
      token,
      connections = 8,
      policy = PATIENT,
      silence = 60_000,
      onNotice = () => {},
    }: HubOptions = {},
  ) {
    const address = URL.parse(endpoint);
    if (address === null || !/^https?:$/.test(address.protocol)) {
      throw new UserError(
        "INVALID_ADDRESS",
        `"${printable(endpoint)}" is no address of a hub`,
        `write it in full, such as "${HUB_ENDPOINT}"`,
      );
    }
    this.#isLocal = LOOPBACK.includes(address.hostname);
    this.#origin = address.origin;
    if (!this.#isSafe(address)) {
      throw new UserError(
        "INSECURE_ADDRESS",
        `The hub's address ${shownAddress(address)} is no plain https address`,
        "give one that begins with https:// and has no name or password; http:// is for this machine alone",
      );
    }
    if (token !== undefined && !/^[\x21-\x7e]{1,512}$/.test(token)) {
      throw new UserError("INVALID_TOKEN", "The token in HF_TOKEN has spaces or is no token", "copy it again");
    }
    this.endpoint = endpoint.replace(/\/+$/, "");
    this.policy = policy;
    this.connections = connections;
    this.#token = token;
    this.#silence = silence;
    this.#slots = new Slots(connections);
    this.#onNotice = onNotice;
  }

  /**
   * An address that the hub names as one of its own: at this hub, whatever host it names. Mirrors pass on the addresses
   * of the hub behind them, and whoever names a mirror wants to ask that one; the token is meant for no other either.
   */
  own(address: URL): URL {
    if (address.origin === this.#origin && address.username === "" && address.password === "") return address;
    this.#notice(
      `${this.endpoint} names pages of ${printable(address.origin)} as its own: they are asked of ` +
        `${this.endpoint} instead`,
    );
    return new URL(`${this.endpoint}${address.pathname}${address.search}`);
  }

  #notice(message: string): void {
    if (this.#noticed.has(message)) return;
    this.#noticed.add(message);
    this.#onNotice(message);
  }

  /**
   * Sends one request and lets `read` have the answer; whatever `read` leaves of the body is not fetched.
   *
   * @throws {PassingFailure} if another try may succeed
   * @throws {UserError} if none will
   */
  async once<T>(request: Request, read: (answer: Answer) => Promise<T>): Promise<T> {
    return await this.#slots.with(async () => {
      const wait = this.#notBefore - Date.now();
      if (wait > 0) await pause(wait, request.signal);
      const watch = new SilenceWatch(this.#silence, request.signal);
      try {
        const { response, address } = await this.#follow(request, watch.signal);
        try {
          this.#requireGood(response, address, request);
          return await read({
            status: response.status,
            headers: response.headers,
            address,
            body: watch.over(response.body),
          });
        } finally {
          await response.body?.cancel().catch(() => {});
        }
      } catch (error) {
        request.signal?.throwIfAborted();
        throw watch.explain(error, request.address);
      } finally {
        watch.end();
      }
    });
  }

  /** {@linkcode once}, again after failures that may pass. */
  async get<T>(request: Request, read: (answer: Answer) => Promise<T>): Promise<T> {
    const { signal } = request;
    return await retry(this.policy, () => this.once(request, read), { signal }).catch(
      (error) => Promise.reject(asUserError(error)),
    );
  }

  async #follow(
    { address: start, range }: Request,
    signal: AbortSignal,
  ): Promise<{ response: Response; address: URL }> {
    let address = start;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      this.#requireSafe(address);
      // Ranges count bytes of what is sent: nothing may be compressed on the way.
      const headers = new Headers({ "accept-encoding": "identity", "user-agent": "rewarm" });
      if (range !== undefined) headers.set("range", `bytes=${range[0]}-${range[1] - 1}`);
      if (this.#token !== undefined && address.origin === this.#origin) {
        headers.set("authorization", `Bearer ${this.#token}`);
      }
      const response = await fetch(address, { headers, redirect: "manual", signal });
      if (!REDIRECTS.includes(response.status)) return { response, address };
      await response.body?.cancel();
      const target = URL.parse(response.headers.get("location") ?? "", address);
      if (target === null) throw new PassingFailure(`${shownAddress(address)} redirects to nowhere`);
      address = target;
    }
    throw new UserError(
      "TOO_MANY_REDIRECTS",
      `${shownAddress(start)} redirects more than ${MAX_REDIRECTS} times, last to ${shownAddress(address)}`,
      "try again later, or tell the hub",
    );
  }

  #isSafe(address: URL): boolean {
    const isPrivate = address.protocol === "https:" ||
      (address.protocol === "http:" && this.#isLocal && LOOPBACK.includes(address.hostname));
    return isPrivate && address.username === "" && address.password === "";
  }

  #requireSafe(address: URL): void {
    if (this.#isSafe(address)) return;
    throw new UserError(
      "INSECURE_ADDRESS",
      `The hub leads to ${shownAddress(address)}, which is no plain https address`,
      "nothing was sent there; if you named a mirror with --hub, name another",
    );
  }

  #requireGood({ status, headers }: Response, address: URL, { range }: Request): void {
    if (status === 200 || (range !== undefined && (status === 206 || status === 416))) return;
    const shown = shownAddress(address);
    const problem = `${shown} answers with status ${status}`;
    if (status === 429 || status >= 500 || status === 408 || status === 425) {
      const asked = askedWait(headers, Date.now());
      if (asked !== undefined && asked > MAX_ASKED_WAIT) {
        throw new UserError(
          "RATE_LIMITED",
          `${problem} and asks to wait ${Math.ceil(asked / 60_000)} minutes`,
          "give the same command again then, or set HF_TOKEN for a higher limit; finished work is kept",
        );
      }
      if (asked !== undefined) this.#notBefore = Math.max(this.#notBefore, Date.now() + asked);
      throw new PassingFailure(problem, asked);
    }
    // A link to a storage host is signed for a short time; the hub gives a new one.
    if (address.origin !== this.#origin) throw new PassingFailure(problem);
    if (status === 401 || status === 403) {
      throw new UserError(
        "HUB_ACCESS_DENIED",
        problem,
        this.#token === undefined
          ? "if it is not public, accept its terms on the hub and set HF_TOKEN in the environment"
          : "the token in HF_TOKEN has no access to it: accept its terms on the hub, or use another token",
      );
    }
    if (status === 404 || status === 410) {
      throw new UserError("HUB_NOT_FOUND", problem, "check the name and the revision");
    }
    throw new UserError("HUB_UNEXPECTED_ANSWER", problem, "try again later");
  }
}

/** What a person is told when retries are used up. */
export function asUserError(error: unknown): unknown {
  if (!(error instanceof PassingFailure)) return error;
  return new UserError(
    "HUB_UNREACHABLE",
    `The download failed again and again: ${error.message}`,
    "check the connection and give the same command again; finished work is kept",
  );
}

/** Ends a request when nothing has come for a while. */
class SilenceWatch {
  readonly #own = new AbortController();
  readonly signal: AbortSignal;
  readonly #milliseconds: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#milliseconds = milliseconds;
    this.signal = signal === undefined ? this.#own.signal : AbortSignal.any([signal, this.#own.signal]);
    this.#timer = this.#start();
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#own.abort(), this.#milliseconds);
  }

  async *over(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array, void> {
    if (body === null) return;
    for await (const bytes of body) {
      // What is done with the bytes takes its own time, a full disk's included.
      clearTimeout(this.#timer);
      yield bytes;
      this.#timer = this.#start();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** The error to throw for one that `fetch` or a body threw. */
  explain(error: unknown, address: URL): unknown {
    if (this.#own.signal.aborted) {
      return new PassingFailure(`${shownAddress(address)} sent nothing for ${this.#milliseconds / 1000} s`);
    }
    if (error instanceof Deno.errors.NotCapable) {
      const host = /"([^"]+)"/.exec(error.message)?.[1] ?? "its host";
      return new UserError(
        "NO_NETWORK_PERMISSION",
        `Deno was not given the permission to reach ${printable(host)}`,
        `if you trust that host, add it to --allow-net in deno.json's task "data"`,
      );
    }
    if (error instanceof TypeError) {
      // Without its cause: it can hold a signed link.
      return new PassingFailure(`the connection to ${address.host} broke (${error.message.replace(/\?\S*/g, "")})`);
    }
    return error;
  }
}
