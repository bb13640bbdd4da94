/**
 * One block on one CPU thread. A CUDA thread that never waits is a plain call; one that waits keeps its fiber (a stack)
 * until the others have arrived. Without a seed the threads run in the order of their numbers. With one, the next to run
 * is chosen at random wherever a thread waits or ends, so that results which depend on the order differ between seeds.
 */
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "context_switch.h"
#include "runtime.h"

STAND_IN_THREAD_LOCAL uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace stand_in {

STAND_IN_THREAD_LOCAL Warp* warp;
STAND_IN_THREAD_LOCAL unsigned lane;
STAND_IN_THREAD_LOCAL unsigned char* dynamic_shared;

namespace {

constexpr unsigned MAX_THREADS = 1024;
constexpr std::size_t STACK_BYTES = 128 << 10;
constexpr std::size_t PAGE = 4096;
constexpr std::size_t SHARED_BYTES = 256 << 10;
constexpr std::size_t STATIC_SHARED_BYTES = 64 << 10;

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

/** Static shared memory of all kernels: places are given out once, at the first use. */
std::mutex static_shared_mutex;
std::size_t static_shared_used = 0;

std::string place(const char* file, int line) { return std::string(file) + ":" + std::to_string(line); }

std::string triple(uint3 v) {
  return "(" + std::to_string(v.x) + ", " + std::to_string(v.y) + ", " + std::to_string(v.z) + ")";
}

}  // namespace

class BlockScheduler {
 public:
  BlockScheduler();
  std::string run(const Launch& launch, uint3 block);

  void wait_for_block(const char* file, int line);
  void wait_for_warp(Meeting meeting, Combine combine, const char* file, int line);
  unsigned count(bool value, const char* file, int line);
  void copy_async(PendingCopy copy);
  void commit_copies();
  void wait_for_copies(unsigned groups_left);
  void* static_shared(std::size_t offset) { return static_memory_ + offset; }
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
  unsigned size_ = 0, current_ = 0, ended_ = 0;
  unsigned arrived_ = 0, counted_ = 0, count_ = 0;
  std::uint32_t number_ = 0, barriers_ = 0, warp_barriers_[MAX_THREADS / LANES];
  const char* barrier_file_ = nullptr;
  int barrier_line_ = 0;
  Thread threads_[MAX_THREADS];
  Copies copies_[MAX_THREADS];
  bool has_copies_ = false;
  Warp warps_[MAX_THREADS / LANES];
  unsigned ready_[MAX_THREADS], ready_head_ = 0, ready_count_ = 0;
  unsigned unstarted_[MAX_THREADS], started_ = 0;
  void* fiber_stack_pointers_[MAX_THREADS];
  unsigned free_fibers_[MAX_THREADS], free_fiber_count_ = 0, fiber_count_ = 0;
  char* stacks_;
  unsigned char *shared_end_, *static_memory_;
  void* outside_ = nullptr;
  std::string problem_;
};

namespace {

STAND_IN_THREAD_LOCAL BlockScheduler* running;

void fiber_entry() { running->run_fiber(); }

void* reserve(std::size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("stand-in: mmap");
    std::abort();
  }
  return memory;
}

}  // namespace

BlockScheduler::BlockScheduler() {
  stacks_ = static_cast<char*>(reserve(MAX_THREADS * STACK_BYTES));
  for (unsigned i = 0; i < MAX_THREADS; i++) mprotect(stacks_ + i * STACK_BYTES, PAGE, PROT_NONE);
  auto* const shared = static_cast<unsigned char*>(reserve(PAGE + SHARED_BYTES + PAGE));
  mprotect(shared, PAGE, PROT_NONE);
  shared_end_ = shared + PAGE + SHARED_BYTES;
  mprotect(shared_end_, PAGE, PROT_NONE);
  static_memory_ = static_cast<unsigned char*>(reserve(STATIC_SHARED_BYTES));
}

/** Stack tops lie apart by odd multiples of a cache line: equal ones would share the sets of the first-level cache. */
void* BlockScheduler::prepare(unsigned fiber) {
  const std::size_t stagger = fiber * 5 % 64 * 64;
  return prepare_stack(stacks_ + (fiber + 1) * STACK_BYTES - stagger, fiber_entry);
}

unsigned BlockScheduler::take_fiber() {
  if (free_fiber_count_ > 0) return free_fibers_[--free_fiber_count_];
  fiber_stack_pointers_[fiber_count_] = prepare(fiber_count_);
  return fiber_count_++;
}

inline unsigned BlockScheduler::take_ready() {
  if (fuzzed_) {
    const unsigned chosen = (ready_head_ + random_.below(ready_count_)) % MAX_THREADS;
    std::swap(ready_[ready_head_], ready_[chosen]);
  }
  const unsigned number = ready_[ready_head_];
  ready_head_ = (ready_head_ + 1) % MAX_THREADS;
  ready_count_--;
  return number;
}

inline void BlockScheduler::become(unsigned number) {
  current_ = number;
  warp = &warps_[number / LANES];
  lane = number % LANES;
  threadIdx = threads_[number].index;
}

inline void BlockScheduler::start(unsigned number) {
  Thread& thread = threads_[number];
  const uint3 size = blockDim;
  thread.waiting = Waiting::no;
  if (size.x == size_) {
    thread.index = {number, 0, 0};
  } else {
    thread.index = {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
  }
  become(number);
}

void BlockScheduler::run_fiber() {
  for (;;) {
    launch_->kernel->run(launch_->arguments);
    threads_[current_].waiting = Waiting::ended;
    ended_++;
    pass_on(true);
  }
}

inline void BlockScheduler::pass_on(bool ended) {
  Thread& from = threads_[current_];
  const unsigned fiber = from.fiber;
  void** const saved = ended ? &fiber_stack_pointers_[fiber] : &from.stack_pointer;
  const bool unstarted = started_ < size_;
  if (ready_count_ == 0 && !unstarted) {
    if (ended_ < size_) end_stuck();
    if (ended) free_fibers_[free_fiber_count_++] = fiber;
    stand_in_switch(saved, outside_);
    return;
  }
  const bool fresh = ready_count_ == 0 || (unstarted && fuzzed_ && (random_.next() & 1));
  const unsigned number = fresh ? take_unstarted() : take_ready();
  Thread& to = threads_[number];
  if (fresh) {
    start(number);
    if (ended) {
      to.fiber = fiber;
      return;
    }
    to.fiber = take_fiber();
    stand_in_switch(saved, fiber_stack_pointers_[to.fiber]);
    return;
  }
  to.waiting = Waiting::no;
  if (&to == &from) return;
  if (ended) free_fibers_[free_fiber_count_++] = fiber;
  become(number);
  stand_in_switch(saved, to.stack_pointer);
}

inline void BlockScheduler::release(unsigned first, unsigned end) {
  for (unsigned i = first; i < end; i++) {
    if (i != current_ || fuzzed_) make_ready(i);
  }
  if (fuzzed_) pass_on(false);
}

inline void BlockScheduler::wait_for_block(const char* file, int line) {
  if (arrived_ > 0 && (line != barrier_line_ || (file != barrier_file_ && std::strcmp(file, barrier_file_) != 0))) {
    fail_at_barriers(file, line);
  }
  barrier_file_ = file;
  barrier_line_ = line;
  if (++arrived_ == size_) {
    arrived_ = 0;
    barriers_++;
    count_ = counted_;
    counted_ = 0;
    return release(0, size_);
  }
  Thread& thread = threads_[current_];
  thread.waiting = Waiting::block;
  thread.file = file;
  thread.line = line;
  pass_on(false);
}

unsigned BlockScheduler::count(bool value, const char* file, int line) {
  counted_ += value;
  wait_for_block(file, line);
  const unsigned result = count_;
  wait_for_block(file, line);  // nobody counts anew before all have read
  return result;
}

inline void BlockScheduler::wait_for_warp(Meeting meeting, Combine combine, const char* file, int line) {
  Warp& w = warps_[current_ / LANES];
  if (w.arrived > 0 && w.meeting != meeting) fail_at("the lanes of a warp meet in different operations", file, line);
  w.meeting = meeting;
  if (++w.arrived == LANES) {
    if (combine != nullptr) combine(w.fragments[w.generation & 1]);
    w.arrived = 0;
    w.generation++;
    warp_barriers_[current_ / LANES] += meeting == Meeting::barrier;
    const unsigned first = current_ / LANES * LANES;
    return release(first, first + LANES);
  }
  Thread& thread = threads_[current_];
  thread.waiting = Waiting::warp;
  thread.file = file;
  thread.line = line;
  pass_on(false);
}

/** Why no thread can go on: who waits where, and who is missing. */
void BlockScheduler::end_stuck() {
  for (unsigned i = 0; i < size_; i++) {
    const Thread& thread = threads_[i];
    if (thread.waiting == Waiting::warp) {
      const Warp& w = warps_[i / LANES];
      problem_ = where(false) + "the warp operation at " + place(thread.file, thread.line) + " was reached by " +
                 std::to_string(w.arrived) + " of the 32 lanes of warp " + std::to_string(i / LANES);
      return;
    }
  }
  problem_ = where(false) + "the barrier at " + place(barrier_file_, barrier_line_) + " was reached by " + std::to_string(arrived_) +
             " of " + std::to_string(size_) + " threads, the others have ended";
}

void BlockScheduler::fail(std::string problem) {
  problem_ = where(true) + problem;
  void* abandoned;
  stand_in_switch(&abandoned, outside_);
  std::abort();  // an abandoned stack is never resumed
}

void BlockScheduler::fail_at(const char* problem, const char* file, int line) {
  fail(std::string(problem) + " at " + place(file, line));
}

void BlockScheduler::fail_at_barriers(const char* file, int line) {
  fail("threads of one block wait at different barriers, " + place(barrier_file_, barrier_line_) + " and " + place(file, line));
}

std::string BlockScheduler::where(bool with_thread) const {
  return "kernel \"" + std::string(launch_->kernel->name) + "\", block " + triple(blockIdx) +
         (with_thread ? ", thread " + triple(threadIdx) : "") + ": ";
}

std::string BlockScheduler::describe(const char* address) const {
  const char* const shared_end = reinterpret_cast<const char*>(shared_end_);
  if (address >= shared_end && address < shared_end + PAGE) {
    return std::to_string(address - shared_end) + " bytes after the end of the block's " +
           std::to_string(launch_->shared_bytes) + " bytes of dynamic shared memory";
  }
  if (address >= stacks_ && address < stacks_ + MAX_THREADS * STACK_BYTES) {
    return "the stack of the thread has its " + std::to_string(STACK_BYTES) + " bytes in use";
  }
  return {};
}

std::string BlockScheduler::run(const Launch& launch, uint3 block) {
  const std::uint64_t number = (std::uint64_t{block.z} * launch.grid.y + block.y) * launch.grid.x + block.x;
  launch_ = &launch;
  fuzzed_ = launch.seed != 0;
  random_ = {launch.seed * 0x2545f4914f6cdd1du + number};
  size_ = launch.block.x * launch.block.y * launch.block.z;
  blockIdx = block;
  blockDim = launch.block;
  gridDim = launch.grid;
  arrived_ = counted_ = ended_ = started_ = ready_head_ = ready_count_ = 0;
  for (unsigned i = 0; i < size_; i++) {
    threads_[i].waiting = Waiting::unstarted;
    unstarted_[i] = i;
  }
  if (fuzzed_) {
    for (unsigned i = size_; i > 1; i--) std::swap(unstarted_[i - 1], unstarted_[random_.below(i)]);
  }
  if (has_copies_) {
    for (Copies& copies : copies_) copies = {};
    has_copies_ = false;
  }
  for (unsigned i = 0; i * LANES < size_; i++) warps_[i].generation = warps_[i].arrived = warp_barriers_[i] = 0;
  number_ = static_cast<std::uint32_t>(number);
  barriers_ = 0;
  const std::size_t shared_bytes = (launch.shared_bytes + 15u) & ~std::size_t{15};
  dynamic_shared = shared_end_ - shared_bytes;
  fill_garbage(dynamic_shared, shared_bytes, launch.seed + number);
  if (static_shared_used > 0) fill_garbage(static_memory_, static_shared_used, launch.seed + number);

  running = this;
  problem_.clear();
  const unsigned first = take_unstarted();
  const unsigned fiber = threads_[first].fiber = take_fiber();
  start(first);
  stand_in_switch(&outside_, fiber_stack_pointers_[fiber]);
  running = nullptr;
  if (!problem_.empty()) fiber_count_ = free_fiber_count_ = 0;  // stacks of threads that never ended are started anew
  return problem_;
}

Standing BlockScheduler::standing() const {
  return {launch_, number_, current_, barriers_, warp_barriers_[current_ / LANES]};
}

SharedRange BlockScheduler::shared_range(bool dynamic) const {
  if (!dynamic) {
    unsigned char* const end = static_memory_ + static_shared_used;
    return {static_memory_, static_memory_ + STATIC_SHARED_BYTES, static_memory_, end, "static shared memory"};
  }
  return {shared_end_ - SHARED_BYTES, shared_end_, dynamic_shared, dynamic_shared + launch_->shared_bytes, "dynamic shared memory"};
}

// ---- Copies that go on while the thread computes ----

namespace {

void note(const PendingCopy& copy, Access access) {
  if (note_access == nullptr) return;
  if (copy.valid) note_access(copy.global, copy.bytes, Access::read);
  note_access(copy.shared, copy.bytes, access);
}

void carry_out(const PendingCopy& copy) {
  note(copy, Access::copy_end);
  if (copy.valid) {
    std::memcpy(copy.shared, copy.global, copy.bytes);
  } else {
    std::memset(copy.shared, 0, copy.bytes);
  }
}

}  // namespace

/** As late as the program allows, or with a seed now and then at once: both ends of what the hardware may do. */
void BlockScheduler::copy_async(PendingCopy copy) {
  if (fuzzed_ && (random_.next() & 1)) return carry_out(copy);
  note(copy, Access::copy_begin);
  Copies& copies = copies_[current_];
  has_copies_ = true;
  copies.waiting.push_back(copy);
  copies.in_open_group++;
}

void BlockScheduler::commit_copies() {
  Copies& copies = copies_[current_];
  copies.groups.push_back(copies.in_open_group);
  copies.in_open_group = 0;
}

void BlockScheduler::wait_for_copies(unsigned groups_left) {
  Copies& copies = copies_[current_];
  if (copies.groups.size() <= groups_left) return;
  const std::size_t complete = copies.groups.size() - groups_left;
  std::size_t count = 0;
  for (std::size_t i = 0; i < complete; i++) count += copies.groups[i];
  for (std::size_t i = 0; i < count; i++) carry_out(copies.waiting[i]);
  copies.waiting.erase(copies.waiting.begin(), copies.waiting.begin() + count);
  copies.groups.erase(copies.groups.begin(), copies.groups.begin() + complete);
}

// ---- The functions of emulation.h and runtime.h ----

__attribute__((flatten)) void wait_for_block(const char* file, int line) { running->wait_for_block(file, line); }
__attribute__((flatten)) void wait_for_warp(Meeting meeting, Combine combine, const char* file, int line) {
  running->wait_for_warp(meeting, combine, file, line);
}
unsigned count_in_block(bool value, const char* file, int line) { return running->count(value, file, line); }
void copy_async(void* shared, const void* global, unsigned bytes, bool valid) {
  running->copy_async({shared, global, bytes, valid});
}
void copy_async_commit() { running->commit_copies(); }
void copy_async_wait(unsigned groups_left) { running->wait_for_copies(groups_left); }
void trap(const char* file, int line) { running->fail("__trap() at " + place(file, line)); }

void* static_shared(std::size_t* offset, std::size_t bytes) {
  if (__atomic_load_n(offset, __ATOMIC_ACQUIRE) == SIZE_MAX) {
    const std::lock_guard lock(static_shared_mutex);
    if (*offset == SIZE_MAX) {
      if (static_shared_used + bytes > STATIC_SHARED_BYTES) running->fail("no room for more static shared memory");
      __atomic_store_n(offset, static_shared_used, __ATOMIC_RELEASE);
      static_shared_used += (bytes + 15) & ~std::size_t{15};
    }
  }
  return running->static_shared(*offset);
}

BlockScheduler* create_block_scheduler() { return new BlockScheduler; }
std::string run_block(BlockScheduler& scheduler, const Launch& launch, uint3 block) { return scheduler.run(launch, block); }
void abort_block(const char* reason) {
  if (running != nullptr) running->fail(reason);
}
Standing standing() { return running->standing(); }
SharedRange shared_range(bool dynamic) { return running->shared_range(dynamic); }
bool in_kernel() { return running != nullptr; }
std::string describe_block_address(std::uint64_t address) { return running->describe(reinterpret_cast<char*>(address)); }

}  // namespace stand_in
