/** What the parts of the stand-in share: launches, their failures, and the memory of the device that is not there. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "emulation.h"

namespace stand_in {

// ---- Launches (launch.cpp) ----

struct Launch {
  const Kernel* kernel;
  uint3 grid, block;
  unsigned shared_bytes;
  void* const* arguments;
  /** decides the order of blocks and threads; 0: the order of their numbers */
  std::uint64_t seed;
};

/** Runs every block. @return what went wrong, empty if nothing did */
std::string run_launch(const Launch& launch);

/** CPU threads that share the blocks of a launch; results do not depend on it. */
void set_worker_count(unsigned count);

// ---- One block (block_scheduler.cpp) ----

class BlockScheduler;
BlockScheduler* create_block_scheduler();
/** A stack for signal handlers, which a fiber that has no stack left needs. */
char* signal_stack(BlockScheduler& scheduler);
constexpr std::size_t SIGNAL_STACK_BYTES = 64 << 10;
/** @return what went wrong, empty if nothing did */
std::string run_block(BlockScheduler& scheduler, const Launch& launch, uint3 block);
/** From a signal handler: ends the block that runs on this CPU thread. Returns if none does. */
void abort_block(const char* reason);
/** Whether a CUDA thread runs on this CPU thread. */
bool in_kernel();
/** How an address relates to the running block's shared memory and stacks; empty if it is far from both. */
std::string describe_block_address(std::uint64_t address);

// ---- Checking each access (access_check.cpp, in the checked variant only) ----

/** Where the running CUDA thread stands, as far as it decides which accesses are ordered before which. */
struct Standing {
  const Launch* launch;
  /** of the block in its launch */
  std::uint32_t block;
  unsigned thread;
  /** barriers that the block has passed */
  std::uint32_t barriers;
  /** barriers that the thread's warp has passed */
  std::uint32_t warp_barriers;
};
Standing standing();

/** A block's memory of one kind. */
struct SharedRange {
  /** what addresses of this kind may be */
  unsigned char *first, *last;
  /** what the launch or the kernels asked for */
  unsigned char *begin, *end;
  const char* name;
};
SharedRange shared_range(bool dynamic);

/** A copy that goes on while the thread computes writes at any time between its two ends. */
enum class Access { read, write, atomic, copy_begin, copy_end };
/** Set where accesses are checked: kernels run on one CPU thread, and each access of theirs is noted. */
extern void (*note_access)(const void* address, std::size_t bytes, Access access);
extern void (*note_launch)(std::uint64_t blocks);

// ---- Randomness ----

/** SplitMix64 (Steele, Lea and Flood 2014): one word a call, any seed. */
struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  unsigned below(unsigned limit) { return static_cast<unsigned>((next() >> 32) * limit >> 32); }
};

/** A word that is a NaN, or a large number, as f32, f16 and bf16 alike: what uninitialised memory holds. */
unsigned garbage_word(std::uint64_t seed);
void fill_garbage(void* memory, std::size_t bytes, std::uint64_t seed);

// ---- Device memory (device_memory.cpp) ----

std::uint64_t allocate_device(std::size_t bytes);
bool free_device(std::uint64_t address);
void free_all_device();
/** Whether the range lies in one living allocation. */
bool is_device_range(std::uint64_t address, std::size_t bytes);
/** An allocation, and the pages around it that belong to no other. */
struct DeviceRange {
  std::uint64_t first_page, last_page, address;
  std::size_t bytes;
  /** for what checks accesses; freed with the allocation */
  void** shadow;
};
/** The living allocation whose pages hold an address. @return false if there is none */
bool find_device_range(std::uint64_t address, DeviceRange* range);
/** Counts frees: what was found before one may be gone. */
std::uint64_t device_frees();

/** The first allocation whose margin was written to, empty if none was. */
std::string find_damage();
/** How an address relates to the allocations, for messages. */
std::string describe_address(std::uint64_t address);
std::size_t device_bytes_total();
std::size_t device_bytes_free();
void set_device_bytes_total(std::size_t bytes);

}  // namespace stand_in
