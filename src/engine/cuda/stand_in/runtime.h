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
/** @return what went wrong, empty if nothing did */
std::string run_block(BlockScheduler& scheduler, const Launch& launch, uint3 block);
/** From a signal handler: ends the block that runs on this CPU thread. Returns if none does. */
void abort_block(const char* reason);
/** "kernel "name", block (x, y, z), thread (x, y, z)" of the CUDA thread that runs on this CPU thread. */
std::string where();
bool in_kernel();

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
/** Whether the range lies in one living allocation. */
bool is_device_range(std::uint64_t address, std::size_t bytes);
/** The first allocation whose margin was written to, empty if none was. */
std::string find_damage();
/** How an address relates to the allocations, for messages. */
std::string describe_address(std::uint64_t address);
std::size_t device_bytes_total();
std::size_t device_bytes_free();
void set_device_bytes_total(std::size_t bytes);

}  // namespace stand_in
