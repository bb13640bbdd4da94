/**
 * Switching between stacks: the registers that a function call must keep (System V x86-64, AAPCS64), nothing else,
 * where ucontext's swap makes a system call for the signal mask. It ends in a jump, since the CPU predicts a return by
 * the call before it, which was made on the other stack. Called last, it goes from the scheduler straight into the
 * kernel.
 */
#pragma once

#include <cstdint>

extern "C" {
/** Saves the caller's registers and stack at `*from`, and goes on where `to` was saved. */
__attribute__((visibility("hidden"))) void stand_in_switch(void** from, void* to);
}

#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.globl stand_in_switch
.hidden stand_in_switch
.type stand_in_switch, @function
stand_in_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size stand_in_switch, .-stand_in_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.globl stand_in_switch
.hidden stand_in_switch
.type stand_in_switch, %function
stand_in_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  br x30
.size stand_in_switch, .-stand_in_switch
)");
#else
#error "The stand-in switches stacks on x86-64 and aarch64 only"
#endif

namespace stand_in {

/** A saved stack that starts `entry` when it is switched to. `top` is aligned to 16. */
inline void* prepare_stack(char* top, void (*entry)()) {
#if defined(__x86_64__)
  void** sp = reinterpret_cast<void**>(top);
  *--sp = nullptr;  // where entry's caller would stand: its stack is misaligned by 8, as after a call
  *--sp = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  return sp;
#else
  void** sp = reinterpret_cast<void**>(top) - 20;
  for (int i = 0; i < 20; i++) sp[i] = nullptr;
  sp[11] = reinterpret_cast<void*>(entry);  // x30
  return sp;
#endif
}

}  // namespace stand_in
