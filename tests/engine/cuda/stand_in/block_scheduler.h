/** The state of one block on one CPU thread; how it works stands in `block_scheduler.cpp`. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime.h"

namespace stand_in {

constexpr unsigned MAX_THREADS = 1024;
constexpr std::size_t STACK_BYTES = 128 << 10;
constexpr std::size_t PAGE = 4096;
constexpr std::size_t SHARED_BYTES = 256 << 10;
constexpr std::size_t STATIC_SHARED_BYTES = 48 << 10;
constexpr std::size_t UNPLACED = SIZE_MAX;

enum class Waiting : unsigned char { no, unstarted, block, warp, ended };

struct PendingCopy {
  void* shared;
  const void* global;
  unsigned bytes;
  bool valid;
};

struct alignas(64) Thread {
  void* stack_pointer;
  /** where it waits */
  const char* file;
  int line;
  unsigned fiber;
  uint3 index;
  Waiting waiting;
};

/** Asynchronous copies of one thread. */
struct Copies {
  std::vector<PendingCopy> waiting;
  /** how many of `waiting` each closed group holds, the oldest first */
  std::vector<unsigned> groups;
  unsigned in_open_group = 0;
};

class BlockScheduler : private Context {
 public:
  BlockScheduler();
  static BlockScheduler& of(Context& context) { return static_cast<BlockScheduler&>(context); }
  std::string run(const Launch& launch, uint3 block);

  void wait_for_block(const char* file, int line);
  void wait_for_warp(Meeting meeting, Combine combine, const char* file, int line);
  unsigned count(bool value, const char* file, int line);
  void copy_async(PendingCopy copy);
  void commit_copies();
  void wait_for_copies(unsigned groups_left);
  void* static_shared(unsigned number, std::size_t bytes);
  [[noreturn]] void fail(std::string problem);
  [[noreturn, gnu::noinline, gnu::cold]] void fail_at(const char* problem, const char* file, int line);
  [[noreturn]] void run_fiber();
  std::string describe(const char* address) const;
  Standing standing() const;
  SharedRange shared_range(bool dynamic) const;

 private:
  std::string where(bool with_thread) const;
  void start(unsigned number);
  void become(unsigned number);
  /** Leaves the running thread, which waits or has ended, for the next that can run. */
  void pass_on(bool ended);
  void make_ready(unsigned number) { ready_[(ready_head_ + ready_count_++) % MAX_THREADS] = number; }
  unsigned take_ready();
  unsigned take_unstarted() { return unstarted_[started_++]; }
  unsigned take_fiber();
  void* prepare(unsigned fiber);
  void release(unsigned first, unsigned end);
  [[gnu::noinline, gnu::cold]] void end_stuck();
  [[noreturn, gnu::noinline, gnu::cold]] void fail_at_barriers(const char* file, int line);

  const Launch* launch_ = nullptr;
  Random random_{0};
  bool fuzzed_ = false;
  /** threads of the block, the running one, and how many have ended */
  unsigned size_ = 0, current_ = 0, ended_ = 0;
  /** at the barrier: threads that wait, their true values, and those of the barrier before */
  unsigned arrived_ = 0, counted_ = 0, count_ = 0;
  const char* barrier_file_ = nullptr;
  int barrier_line_ = 0;
  /** the block's number in its launch, and barriers passed */
  std::uint32_t number_ = 0, barriers_ = 0, warp_barriers_[MAX_THREADS / LANES];
  Thread threads_[MAX_THREADS];
  Copies copies_[MAX_THREADS];
  bool has_copies_ = false;
  Warp warps_[MAX_THREADS / LANES];
  /** a ring of threads that may go on */
  unsigned ready_[MAX_THREADS], ready_head_ = 0, ready_count_ = 0;
  unsigned unstarted_[MAX_THREADS], started_ = 0;
  /** where fibers without a thread stopped: a finished thread's, or new ones */
  void* fiber_stack_pointers_[MAX_THREADS];
  unsigned free_fibers_[MAX_THREADS], free_fiber_count_ = 0, fiber_count_ = 0;
  char* stacks_;
  unsigned char *shared_end_, *static_memory_;
  std::size_t static_used_ = 0;
  /** where each array of static shared memory lies, by its number; UNPLACED until the block comes to it */
  std::vector<std::size_t> static_places_;
  /** the CPU thread's own stack while the block runs */
  void* outside_ = nullptr;
  std::string problem_;

 public:
  char signal_stack[SIGNAL_STACK_BYTES];
};


/** The scheduler whose block this CPU thread runs. */
inline BlockScheduler& running() { return BlockScheduler::of(*context); }

}  // namespace stand_in
