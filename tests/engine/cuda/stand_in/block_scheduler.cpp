/**
 * One block on one CPU thread. A CUDA thread that never waits is a plain call; one that waits keeps its fiber (a stack)
 * until the others have arrived. Without a seed the threads run in the order of their numbers. With one, the next to
 * run is chosen at random wherever a thread waits or ends, so that results which depend on the order differ between
 * seeds.
 */
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include "block_scheduler.h"
#include "context_switch.h"

namespace stand_in {

__thread Context* context;

namespace {

void fiber_entry() { running().run_fiber(); }

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
  thread_index = threads_[number].index;
}

inline void BlockScheduler::start(unsigned number) {
  Thread& thread = threads_[number];
  const uint3 size = block_size;
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

void BlockScheduler::fail(std::string problem) {
  problem_ = where(true) + problem;
  void* abandoned;
  stand_in_switch(&abandoned, outside_);
  std::abort();  // an abandoned stack is never resumed
}

std::string BlockScheduler::run(const Launch& launch, uint3 block) {
  const std::uint64_t number = (std::uint64_t{block.z} * launch.grid.y + block.y) * launch.grid.x + block.x;
  launch_ = &launch;
  fuzzed_ = launch.seed != 0;
  random_ = {launch.seed * 0x2545f4914f6cdd1du + number};
  size_ = launch.block.x * launch.block.y * launch.block.z;
  block_index = block;
  block_size = launch.block;
  grid_size = launch.grid;
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
  static_used_ = 0;
  static_places_.assign(static_places_.size(), UNPLACED);

  context = this;
  problem_.clear();
  const unsigned first = take_unstarted();
  const unsigned fiber = threads_[first].fiber = take_fiber();
  start(first);
  stand_in_switch(&outside_, fiber_stack_pointers_[fiber]);
  context = nullptr;
  if (!problem_.empty()) fiber_count_ = free_fiber_count_ = 0;  // stacks of threads that never ended are started anew
  return problem_;
}

// ---- The functions of emulation.h and runtime.h ----

__attribute__((flatten)) void wait_for_block(const char* file, int line) { running().wait_for_block(file, line); }
__attribute__((flatten)) void wait_for_warp(Meeting meeting, Combine combine, const char* file, int line) {
  running().wait_for_warp(meeting, combine, file, line);
}
unsigned count_in_block(bool value, const char* file, int line) { return running().count(value, file, line); }
char* signal_stack(BlockScheduler& scheduler) { return scheduler.signal_stack; }
BlockScheduler* create_block_scheduler() { return new BlockScheduler; }
std::string run_block(BlockScheduler& scheduler, const Launch& launch, uint3 block) {
  return scheduler.run(launch, block);
}

}  // namespace stand_in
