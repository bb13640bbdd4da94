/**
 * Peak memory of the whole process, predicted: a session's own memory is known to the byte (layout.ts); what Deno, V8 and
 * the libraries take was measured once and is a constant here. tests/process/memory_test.ts holds it to 15 %.
 */

const MIB = 2 ** 20;
/** A process that reproduces with compiled kernels at hand, without threads and sessions. */
const PROCESS_BYTES = 215 * MIB;
/** A thread's own V8 isolate. */
const THREAD_BYTES = 9 * MIB;
/** The moment at which the kernels are compiled, before any session is open. */
const COMPILATION_BYTES = 365 * MIB;

/**
 * Resident bytes at the peak.
 *
 * @param sessionBytes `Layout.bytes`
 * @param compiles whether the kernels are compiled in this process rather than taken from a cache
 */
export function predictPeakBytes(sessionBytes: number, threads: number, compiles: boolean): number {
  const training = PROCESS_BYTES + threads * THREAD_BYTES + sessionBytes;
  return Math.max(training, compiles ? COMPILATION_BYTES : 0);
}
