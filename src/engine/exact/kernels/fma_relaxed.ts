// c + a·b rounded once, by the CPU's own fused multiply-add. AssemblyScript.
// relaxed_madd may be fused or not; the engine probes it before use (../kernels.ts) and takes fma_emulated.ts if not.

export function fma(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c);
}
