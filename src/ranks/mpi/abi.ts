/**
 * The two ABIs of MPI libraries. Open MPI's handles are addresses of objects in the library; those of MPICH, and of what
 * follows its ABI (Intel MPI, Cray MPICH, MVAPICH), are 32-bit numbers.
 *
 * @see Open MPI 4.1 `ompi/include/mpi.h.in`; MPICH 4.0 `src/include/mpi.h.in`; MPICH's ABI compatibility initiative
 */

/** Which of the two a library has. */
export type Abi = "Open MPI" | "MPICH";

/** Functions with handles of a type. A count is a 32-bit number. */
const functions = <H extends "pointer" | "i32">(handle: H) =>
  ({
    MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32", nonblocking: true },
    MPI_Finalize: { parameters: [], result: "i32", nonblocking: true },
    MPI_Abort: { parameters: [handle, "i32"], result: "i32" },
    MPI_Comm_rank: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Comm_size: { parameters: [handle, "buffer"], result: "i32" },
    MPI_Comm_set_errhandler: { parameters: [handle, handle], result: "i32" },
    MPI_Isend: { parameters: ["buffer", "i32", handle, "i32", "i32", handle, "buffer"], result: "i32" },
    MPI_Irecv: { parameters: ["buffer", "i32", handle, "i32", "i32", handle, "buffer"], result: "i32" },
    MPI_Test: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
    MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
    MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  }) as const;

/** What is looked up in a library with Open MPI's ABI. */
export const OPEN_MPI_SYMBOLS = {
  ...functions("pointer"),
  ompi_mpi_comm_world: { type: "pointer" },
  ompi_mpi_byte: { type: "pointer" },
  ompi_mpi_errors_return: { type: "pointer" },
} as const;

/** What is looked up in a library with MPICH's ABI. */
export const MPICH_SYMBOLS = functions("i32");

/** Handles that MPICH's mpi.h defines as numbers. */
export const MPICH_HANDLES = { world: 0x44000000, byte: 0x4c00010d, errorsReturn: 0x54000001 } as const;

/** `MPI_THREAD_SERIALIZED` of both: calls come from several threads, one at a time. */
export const THREAD_SERIALIZED = 2;

/** Bytes that hold a request of either: an address, or a 32-bit number. */
export const REQUEST_BYTES = 8;

/** Bytes that hold a status of either: 24 of Open MPI's, 20 of MPICH's. */
export const STATUS_BYTES = 64;

/** Bytes that hold a library's version or an error's text: `MPI_MAX_LIBRARY_VERSION_STRING` of MPICH is 8192. */
export const TEXT_BYTES = 16384;

/** The functions that are called, whatever the ABI: handles are the library's own and stand in the calls already. */
export interface MpiCalls {
  readonly abi: Abi;
  init(provided: Int32Array<ArrayBuffer>): Promise<number>;
  finalize(): Promise<number>;
  abort(code: number): void;
  rank(out: Int32Array<ArrayBuffer>): number;
  size(out: Int32Array<ArrayBuffer>): number;
  /** Errors are returned as codes from now on, rather than ending the process. */
  returnErrors(): number;
  send(bytes: Uint8Array<ArrayBuffer>, to: number, tag: number, request: Uint8Array<ArrayBuffer>): number;
  receive(bytes: Uint8Array<ArrayBuffer>, from: number, tag: number, request: Uint8Array<ArrayBuffer>): number;
  test(
    request: Uint8Array<ArrayBuffer>,
    flag: Int32Array<ArrayBuffer>,
    status: Uint8Array<ArrayBuffer>,
  ): number;
  version(text: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>): number;
  errorText(code: number, text: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>): number;
}

/**
 * A library's functions by its ABI.
 *
 * @throws {Error} if it cannot be loaded, or lacks one of them
 */
export function loadMpi(abi: Abi, path: string): MpiCalls {
  if (abi === "MPICH") {
    const { symbols: f } = Deno.dlopen(path, MPICH_SYMBOLS);
    const { world, byte, errorsReturn } = MPICH_HANDLES;
    return {
      abi,
      ...common(f),
      abort: (code) => void f.MPI_Abort(world, code),
      rank: (out) => f.MPI_Comm_rank(world, out),
      size: (out) => f.MPI_Comm_size(world, out),
      returnErrors: () => f.MPI_Comm_set_errhandler(world, errorsReturn),
      send: (bytes, to, tag, request) => f.MPI_Isend(bytes, bytes.length, byte, to, tag, world, request),
      receive: (bytes, from, tag, request) => f.MPI_Irecv(bytes, bytes.length, byte, from, tag, world, request),
    };
  }
  const { symbols: f } = Deno.dlopen(path, OPEN_MPI_SYMBOLS);
  const { ompi_mpi_comm_world: world, ompi_mpi_byte: byte, ompi_mpi_errors_return: errorsReturn } = f;
  return {
    abi,
    ...common(f),
    abort: (code) => void f.MPI_Abort(world, code),
    rank: (out) => f.MPI_Comm_rank(world, out),
    size: (out) => f.MPI_Comm_size(world, out),
    returnErrors: () => f.MPI_Comm_set_errhandler(world, errorsReturn),
    send: (bytes, to, tag, request) => f.MPI_Isend(bytes, bytes.length, byte, to, tag, world, request),
    receive: (bytes, from, tag, request) => f.MPI_Irecv(bytes, bytes.length, byte, from, tag, world, request),
  };
}

type WithoutHandles = Pick<
  Deno.DynamicLibrary<typeof MPICH_SYMBOLS>["symbols"],
  "MPI_Init_thread" | "MPI_Finalize" | "MPI_Test" | "MPI_Get_library_version" | "MPI_Error_string"
>;

function common(f: WithoutHandles) {
  return {
    init: (provided: Int32Array<ArrayBuffer>) => f.MPI_Init_thread(null, null, THREAD_SERIALIZED, provided),
    finalize: () => f.MPI_Finalize(),
    test: (
      request: Uint8Array<ArrayBuffer>,
      flag: Int32Array<ArrayBuffer>,
      status: Uint8Array<ArrayBuffer>,
    ) => f.MPI_Test(request, flag, status),
    version: (text: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>) =>
      f.MPI_Get_library_version(text, length),
    errorText: (code: number, text: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>) =>
      f.MPI_Error_string(code, text, length),
  };
}
