/**
 * What a block's threads can ask for beside waiting: asynchronous copies, static shared memory; and the words for what
 * went wrong.
 */
#include "block_scheduler.h"

namespace stand_in {

namespace {

std::string place(const char* file, int line) { return std::string(file) + ":" + std::to_string(line); }

std::string triple(uint3 v) {
  return "(" + std::to_string(v.x) + ", " + std::to_string(v.y) + ", " + std::to_string(v.z) + ")";
}

}  // namespace

// ---- Problems in words ----

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
  problem_ = where(false) + "the barrier at " + place(barrier_file_, barrier_line_) + " was reached by " +
             std::to_string(arrived_) + " of " + std::to_string(size_) + " threads, the others have ended";
}

void BlockScheduler::fail_at(const char* problem, const char* file, int line) {
  fail(std::string(problem) + " at " + place(file, line));
}

void BlockScheduler::fail_at_barriers(const char* file, int line) {
  fail("threads of one block wait at different barriers, " + place(barrier_file_, barrier_line_) + " and " +
       place(file, line));
}

std::string BlockScheduler::where(bool with_thread) const {
  return "kernel \"" + std::string(launch_->kernel->name) + "\", block " + triple(block_index) +
         (with_thread ? ", thread " + triple(thread_index) : "") + ": ";
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

Standing BlockScheduler::standing() const {
  return {launch_, number_, current_, barriers_, warp_barriers_[current_ / LANES]};
}

SharedRange BlockScheduler::shared_range(bool dynamic) const {
  if (!dynamic) {
    unsigned char *const begin = static_memory_, *const end = begin + static_used_;
    return {begin, begin + STATIC_SHARED_BYTES, begin, end, "static shared memory"};
  }
  unsigned char *const begin = dynamic_shared, *const end = begin + launch_->shared_bytes;
  return {shared_end_ - SHARED_BYTES, shared_end_, begin, end, "dynamic shared memory"};
}

// ---- Static shared memory ----

/** The first thread of a block that comes to an array gives it its place. */
void* BlockScheduler::static_shared(unsigned number, std::size_t bytes) {
  if (number >= static_places_.size()) static_places_.resize(number + 1, UNPLACED);
  std::size_t& place = static_places_[number];
  if (place == UNPLACED) {
    place = static_used_;
    static_used_ += (bytes + 15) & ~std::size_t{15};
    if (static_used_ > STATIC_SHARED_BYTES) fail("a block can have 48 KiB of static shared memory at most");
    fill_garbage(static_memory_ + place, bytes, launch_->seed + number_);
  }
  return static_memory_ + place;
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

void copy_async(void* shared, const void* global, unsigned bytes, bool valid) {
  running().copy_async({shared, global, bytes, valid});
}
void copy_async_commit() { running().commit_copies(); }
void copy_async_wait(unsigned groups_left) { running().wait_for_copies(groups_left); }
void trap(const char* file, int line) { running().fail("__trap() at " + place(file, line)); }

unsigned number_static_shared() {
  static std::atomic<unsigned> count{0};
  return count++;
}
void* static_shared(unsigned number, std::size_t bytes) { return running().static_shared(number, bytes); }

void abort_block(const char* reason) {
  if (in_kernel()) running().fail(reason);
}
Standing standing() { return running().standing(); }
SharedRange shared_range(bool dynamic) { return running().shared_range(dynamic); }
bool in_kernel() { return context != nullptr; }
std::string describe_block_address(std::uint64_t address) {
  return running().describe(reinterpret_cast<char*>(address));
}

}  // namespace stand_in
