/**
 * Ranks that MPI connects: bytes in main memory, sent and received without waiting. Only what moves bytes is taken from
 * MPI; its reductions add in an order of their own.
 *
 * A process that has called it ends by `Deno.exit`: at another end Deno unloads the library while its threads run.
 */
import { UserError } from "../../errors.ts";
import type { Channel, Link, Pending } from "../link.ts";
import { type LaunchedRank, launchedRank } from "../launched.ts";
import { type Abi, loadMpi, type MpiCalls, REQUEST_BYTES, STATUS_BYTES, TEXT_BYTES, THREAD_SERIALIZED } from "./abi.ts";
import { findMpi, type MpiLibrary, type MpiVariable } from "./library_search.ts";

/** Bytes of one message of MPI's at most: its counts have 31 bits. */
const MESSAGE_BYTES = 2 ** 30;

/** Seconds that starting and ending may take: all ranks have to come. */
const MEETING_SECONDS = 120;

/** Which library belongs to whom started the ranks, where only one does. */
const LIBRARY_OF: Readonly<Partial<Record<LaunchedRank["launcher"], Abi>>> = {
  "Open MPI's mpirun": "Open MPI",
  "MPICH's mpirun, or srun --mpi=pmi2": "MPICH",
};

/** For tests: what the environment says, and how the library is found. */
export interface MpiOptions {
  readonly launched?: LaunchedRank;
  readonly library?: MpiLibrary;
}

/** A typed array that lies where it stays: small ones are otherwise moved by the garbage collector. */
function fixed(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

function out(): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(4));
}

/** A variable of this process, if it may be read and is set. */
function variable(name: MpiVariable): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name);
}

function isThere(path: string): boolean {
  if (Deno.permissions.querySync({ name: "ffi", path }).state !== "granted") return false;
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Joins the ranks that were started together.
 *
 * @throws {UserError} `NO_RANKS` if nobody started this process as a rank, `MPI_UNAVAILABLE` if there is no library,
 * `RANKS_CONTRADICT` if the library knows nothing of the ranks that were started, `MPI_FAILED`
 */
export async function joinMpi(options: MpiOptions = {}): Promise<Link> {
  const launched = options.launched ?? launchedRank();
  if (launched === undefined) {
    throw new UserError(
      "NO_RANKS",
      "This process was not started as a rank",
      'start it by "mpirun -n RANKS deno task reproduce:ranks …", or by srun --mpi=pmix or --mpi=pmi2',
    );
  }
  const library = options.library ?? findMpi({ variable, prefer: LIBRARY_OF[launched.launcher], isThere });
  const calls = load(library);
  const provided = out();
  check(calls, "MPI_Init_thread", await meet(calls.init(provided), "for all ranks to start"));
  if ((provided[0] ?? 0) < THREAD_SERIALIZED) {
    throw new UserError(
      "MPI_UNAVAILABLE",
      `${library.path} lets only one thread call it`,
      "use a build with MPI_THREAD_SERIALIZED, as those of Linux distributions are",
    );
  }
  check(calls, "MPI_Comm_set_errhandler", calls.returnErrors());
  const link = new MpiLink(calls, library);
  if (link.rank !== launched.rank || link.size !== launched.size) {
    throw new UserError(
      "RANKS_CONTRADICT",
      `${launched.launcher} started rank ${launched.rank} of ${launched.size}, and ${library.path} says rank ` +
        `${link.rank} of ${link.size}`,
      launched.launcher === "srun" || launched.launcher === "torchrun"
        ? "start ranks by mpirun, or by srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH)"
        : "the launcher belongs to another MPI: use the library's own, or set MPI_HOME to the launcher's",
    );
  }
  return link;
}

function load({ abi, path }: MpiLibrary): MpiCalls {
  try {
    return loadMpi(abi, path);
  } catch (error) {
    throw new UserError(
      "MPI_UNAVAILABLE",
      `${path} cannot be loaded: ${error instanceof Error ? error.message : error}`,
      "install Open MPI 4 or MPICH 3.1 or newer",
      { cause: error },
    );
  }
}

/** @throws {UserError} if not all ranks come in time */
async function meet(call: Promise<number>, what: string): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const error = new UserError(
      "RANK_SILENT",
      `MPI has waited for ${MEETING_SECONDS} s ${what}`,
      "look at the launcher's output for a rank that did not",
    );
    timer = setTimeout(() => reject(error), 1000 * MEETING_SECONDS);
  });
  try {
    return await Promise.race([call, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function text(read: (bytes: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>) => number): string {
  const bytes = fixed(TEXT_BYTES), length = out();
  read(bytes, length);
  return new TextDecoder().decode(bytes.subarray(0, length[0]));
}

function check(calls: MpiCalls, name: string, code: number): void {
  if (code === 0) return;
  const reason = text((bytes, length) => calls.errorText(code, bytes, length));
  throw new UserError("MPI_FAILED", `${name} failed with code ${code}: ${reason}`, "look at the launcher's output");
}

/** `Open MPI v4.1.4`, `MPICH 4.0.2`: the beginning of what a library says of itself. */
export function versionName(abi: Abi, version: string): string {
  const [, openMpi] = /^Open MPI v([\w.]+)/.exec(version) ?? [];
  if (openMpi !== undefined) return `Open MPI ${openMpi}`;
  const [, mpich] = /^MPICH Version:\s*([\w.]+)/.exec(version) ?? [];
  if (mpich !== undefined) return `MPICH ${mpich}`;
  const first = version.split("\n")[0]?.replace(/[^\x20-\x7e]/g, "").trim().slice(0, 60) ?? "";
  return first === "" ? abi : `${first} (${abi}'s ABI)`;
}

class MpiLink implements Link {
  readonly name: string;
  readonly rank: number;
  readonly size: number;
  readonly #calls: MpiCalls;
  readonly #flag = out();
  readonly #status = fixed(STATUS_BYTES);

  constructor(calls: MpiCalls, { abi }: MpiLibrary) {
    this.#calls = calls;
    const number = out();
    check(calls, "MPI_Comm_rank", calls.rank(number));
    this.rank = number[0] ?? 0;
    check(calls, "MPI_Comm_size", calls.size(number));
    this.size = number[0] ?? 0;
    this.name = versionName(abi, text((bytes, length) => calls.version(bytes, length)));
  }

  send(to: number, channel: Channel, bytes: Uint8Array): Pending {
    const own = isFixed(bytes) ? bytes : copied(bytes);
    return this.#start("MPI_Isend", own, (piece, request) => this.#calls.send(piece, to, channel, request));
  }

  receive(from: number, channel: Channel, into: Uint8Array): Pending {
    const own = isFixed(into) ? into : fixed(into.length);
    const pending = this.#start(
      "MPI_Irecv",
      own,
      (piece, request) => this.#calls.receive(piece, from, channel, request),
    );
    if (own === into) return pending;
    let isTaken = false;
    return {
      isDone: () => {
        if (isTaken) return true;
        if (!pending.isDone()) return false;
        into.set(own);
        return isTaken = true;
      },
    };
  }

  #start(
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
    call: (piece: Uint8Array<ArrayBuffer>, request: Uint8Array<ArrayBuffer>) => number,
  ): Pending {
    // Pieces are kept with their requests: MPI reads and writes them until these are done.
    let left: { readonly piece: Uint8Array; readonly request: Uint8Array<ArrayBuffer> }[] = [];
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      const piece = bytes.subarray(at, Math.min(bytes.length, at + MESSAGE_BYTES));
      const request = fixed(REQUEST_BYTES);
      check(this.#calls, name, call(piece, request));
      left.push({ piece, request });
    }
    return {
      isDone: () => {
        left = left.filter(({ request }) => {
          check(this.#calls, "MPI_Test", this.#calls.test(request, this.#flag, this.#status));
          return this.#flag[0] === 0;
        });
        return left.length === 0;
      },
    };
  }

  async close(): Promise<void> {
    check(this.#calls, "MPI_Finalize", await meet(this.#calls.finalize(), "for all ranks to end"));
  }

  abort(code: number): void {
    this.#calls.abort(code);
  }
}

/** Whether MPI may be given the bytes themselves: neither shared with threads nor so small that they may move. */
function isFixed(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  // Asking for the buffer of a small array puts it where it stays.
  return bytes.buffer instanceof ArrayBuffer;
}

function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = fixed(bytes.length);
  own.set(bytes);
  return own;
}
