/** A hub and a storage host on this machine, which do as they are told: well or badly. */
import { createHash } from "node:crypto";
import { HubConnection, type HubOptions } from "../../src/hub/connection.ts";
import { type Repository, repositoryId } from "../../src/hub/repository.ts";
import { sha256 } from "../../src/digest/sha256.ts";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const TOKEN = "hf_not_a_real_token";
export const REPOSITORY: Repository = { kind: "dataset", name: "someone/some-data", revision: COMMIT };

/** A request as it came in. */
export interface Seen {
  readonly host: "hub" | "storage";
  readonly method: string;
  readonly path: string;
  readonly range: string | null;
  readonly authorization: string | null;
  readonly encoding: string | null;
}

/** What to answer in place of the proper answer; `undefined` for that one. */
export type Misbehaviour = (
  seen: Seen,
  content: Uint8Array<ArrayBuffer>,
) => Response | undefined | Promise<Response | undefined>;

/** Bytes that no two places share. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** The range that a request asks for, in a content. */
export function rangeOf(seen: Seen, content: Uint8Array): [start: number, end: number] {
  const [, start = "0", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(seen.range ?? "") ?? [];
  return [Number(start), last === "" ? content.length : Math.min(Number(last) + 1, content.length)];
}

/** A proper answer, or one with other bytes or headers. */
export function partial(
  seen: Seen,
  content: Uint8Array<ArrayBuffer>,
  change: { readonly body?: BodyInit; readonly headers?: Record<string, string>; readonly status?: number } = {},
): Response {
  const [start, end] = rangeOf(seen, content);
  const headers = {
    "content-range": `bytes ${start}-${end - 1}/${content.length}`,
    etag: `"${sha256(content)}"`,
    ...change.headers,
  };
  return new Response(change.body ?? content.slice(start, end), { status: change.status ?? 206, headers });
}

/** A body of some bytes after which the connection breaks. */
export function broken(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return controller.error(new Error("cut off on purpose"));
      sent = true;
      controller.enqueue(bytes);
    },
  });
}

/** See above. Large files lie on the storage host, under another name of this machine and another port. */
export class StandInHub implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly storageAddress: string;
  readonly address: string;
  /** asked before each answer that carries content */
  misbehave: Misbehaviour = () => undefined;
  /** asked before each answer of the hub */
  misbehaveHub: Misbehaviour = () => undefined;
  pageSize = 2;
  /** the host that its pages name for the next; itself if not given */
  pageHost: string | undefined;
  /** bytes above which a file is large: the hub states its SHA-256, and has it on the storage host */
  largeBytes = 100;
  commit = COMMIT;
  readonly #hub: Deno.HttpServer<Deno.NetAddr>;
  readonly #storage: Deno.HttpServer<Deno.NetAddr>;

  /** commits of branches other than `main`, by `models/owner/name@branch` */
  readonly branches: Record<string, string> = {};
  /** paths and contents by `datasets/owner/name` or `models/owner/name`; `@commit` after it where commits differ */
  readonly repositories: Record<string, Record<string, Uint8Array<ArrayBuffer>>>;

  constructor(files: Record<string, Uint8Array<ArrayBuffer>>, id = repositoryId(REPOSITORY)) {
    this.repositories = { [id]: files };
    const quiet = {
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      onError: () => new Response(null, { status: 500 }),
    };
    this.#storage = Deno.serve(quiet, (request) => this.#serve(request, "storage"));
    this.#hub = Deno.serve(quiet, (request) => this.#serve(request, "hub"));
    this.storageAddress = `http://localhost:${this.#storage.addr.port}`;
    this.address = `http://127.0.0.1:${this.#hub.addr.port}`;
  }

  /** A connection that does not wait long. */
  connect(options: HubOptions = {}): HubConnection {
    const policy = { failures: 4, firstPause: 1, longestPause: 4 };
    return new HubConnection({ endpoint: this.address, token: TOKEN, policy, silence: 2000, ...options });
  }

  /** Requests for content. */
  get fetched(): Seen[] {
    return this.seen.filter(({ path }) => path.includes("/resolve/") || path.startsWith("/blob/"));
  }

  async #serve(request: Request, host: Seen["host"]): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const seen: Seen = {
      host,
      method: request.method,
      path: decodeURIComponent(pathname),
      range: request.headers.get("range"),
      authorization: request.headers.get("authorization"),
      encoding: request.headers.get("accept-encoding"),
    };
    this.seen.push(seen);
    if (host === "hub") {
      const bad = await this.misbehaveHub(seen, new Uint8Array());
      if (bad !== undefined) return bad;
    }
    if (request.method !== "GET") return new Response(null, { status: 405 });
    const [, api, id = "", path = ""] = host === "storage"
      ? /^\/blob(\/)([^/]+\/[^/]+\/[^/]+)\/(.*)$/.exec(seen.path) ?? []
      : /^(\/api)?\/((?:datasets\/|models\/)?[^/]+\/[^/]+)\/(.*)$/.exec(seen.path) ?? [];
    const named = /^(datasets|models)\//.test(id) ? id : `models/${id}`;
    const revision = /^(?:revision|tree|resolve)\/([^/]+)/.exec(path)?.[1] ?? "";
    const branch = this.branches[`${named}@${revision}`];
    if (api === "/api" && path.startsWith("revision/") && branch !== undefined) return Response.json({ sha: branch });
    const repository = host === "hub" && `${named}@${revision}` in this.repositories ? `${named}@${revision}` : named;
    const files = this.repositories[repository] ?? {};
    if (api === "/api") {
      if (!(repository in this.repositories)) return new Response("no such repository", { status: 404 });
      if (path.startsWith("revision/")) return Response.json({ sha: this.commit, more: true });
      if (path.startsWith("tree/")) return this.#tree(repository, revision, Number(searchParams.get("cursor") ?? 0));
    }
    const name = host === "storage" ? path : path.replace(/^resolve\/[^/]+\//, "");
    const content = files[name];
    if (content === undefined) return new Response("nothing here", { status: 404 });
    if (host === "hub" && content.length > this.largeBytes) {
      return new Response(null, {
        status: 302,
        headers: { location: `${this.storageAddress}/blob/${repository}/${name}?signature=secret` },
      });
    }
    const proper = () => seen.range === null ? new Response(content) : partial(seen, content);
    return await this.misbehave(seen, content) ?? proper();
  }

  #tree(repository: string, revision: string, cursor: number): Response {
    const entries = Object.entries(this.repositories[repository] ?? {}).map(([path, content]) => ({
      type: "file",
      path,
      oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
      size: content.length,
      ...(content.length > this.largeBytes
        ? { lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } }
        : {}),
    }));
    const next = cursor + this.pageSize;
    const named = repository.replace(/@.*/, "");
    const headers: Record<string, string> = next < entries.length
      ? {
        link: `<${this.pageHost ?? this.address}/api/${named}/tree/${revision}?recursive=1&cursor=${next}>; rel="next"`,
      }
      : {};
    const folder = { type: "directory", path: "train", oid: "0".repeat(40), size: 0 };
    return Response.json([folder, ...entries.slice(cursor, next)], { headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hub.shutdown(), this.#storage.shutdown()]);
  }
}
