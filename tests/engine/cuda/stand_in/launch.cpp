/**
 * A launch: its blocks spread over CPU threads by one shared counter. A block that faults (an address outside of every
 * allocation, a misaligned one in the checked build) ends the launch with a message instead of the process.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <vector>

#include "runtime.h"

namespace stand_in {

namespace {

constexpr int FAULTS[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
struct sigaction previous_actions[32];

std::string reason_of(int signal, std::uint64_t address) {
  if (signal == SIGFPE) return "integer division by zero";
  if (signal == SIGILL) return "undefined behaviour: a misaligned address, an index beyond its array, or an overflow";
  const std::string in_block = describe_block_address(address);
  return "illegal address: " + (in_block.empty() ? describe_address(address) : in_block);
}

/** Faults of code that is no kernel go to whoever handled them before. */
void on_fault(int number, siginfo_t* info, void* context) {
  if (in_kernel()) {
    const std::string reason = reason_of(number, reinterpret_cast<std::uint64_t>(info->si_addr));
    abort_block(reason.c_str());
  }
  const struct sigaction& previous = previous_actions[number];
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    signal(number, SIG_DFL);  // the instruction runs again, and ends the process
  } else {
    previous.sa_handler(number);
  }
}

/** While it lives, faults of this CPU thread's kernels are caught, on a stack of their own. */
class FaultGuard {
 public:
  explicit FaultGuard(BlockScheduler& scheduler) {
    stack_t own{};
    own.ss_sp = signal_stack(scheduler);
    own.ss_size = SIGNAL_STACK_BYTES;
    sigaltstack(&own, &previous_stack_);
  }
  ~FaultGuard() { sigaltstack(&previous_stack_, nullptr); }

 private:
  stack_t previous_stack_{};
};

void install_fault_handler() {
  for (const int number : FAULTS) {
    struct sigaction current{};
    sigaction(number, nullptr, &current);
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_fault) continue;
    previous_actions[number] = current;
    struct sigaction own{};
    own.sa_sigaction = on_fault;
    own.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(number, &own, nullptr);
  }
}

/** One launch as the CPU threads share it. */
struct Work {
  const Launch* launch;
  std::size_t blocks;
  const unsigned* order;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::string problem;
};

void take_blocks(Work& work, BlockScheduler& scheduler) {
  const FaultGuard guard(scheduler);
  const Launch& launch = *work.launch;
  for (std::size_t i; (i = work.next.fetch_add(1, std::memory_order_relaxed)) < work.blocks;) {
    const std::size_t number = work.order == nullptr ? i : work.order[i];
    const std::size_t row = number / launch.grid.x;
    const uint3 block{static_cast<unsigned>(number % launch.grid.x), static_cast<unsigned>(row % launch.grid.y),
                      static_cast<unsigned>(row / launch.grid.y)};
    std::string problem = run_block(scheduler, launch, block);
    if (problem.empty()) continue;
    work.next.store(work.blocks, std::memory_order_relaxed);
    const std::lock_guard lock(work.mutex);
    if (work.problem.empty()) work.problem = std::move(problem);
  }
}

/** CPU threads beside the caller's. They sleep between launches; a launch waits only for those that joined it. */
class Pool {
 public:
  void run(Work& work, unsigned helpers, BlockScheduler& scheduler) {
    {
      const std::lock_guard lock(mutex_);
      while (started_ < helpers) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, serve_pool, this) != 0) break;
        pthread_detach(thread);
        started_++;
      }
      work_ = &work;
      places_ = helpers;
    }
    wake_.notify_all();
    take_blocks(work, scheduler);
    std::unique_lock lock(mutex_);
    work_ = nullptr;
    idle_.wait(lock, [this] { return active_ == 0; });
  }

 private:
  static void* serve_pool(void* pool) {
    static_cast<Pool*>(pool)->serve();
    return nullptr;
  }

  void serve() {
    BlockScheduler& scheduler = *create_block_scheduler();
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return work_ != nullptr && places_ > 0 && work_->next.load() < work_->blocks; });
      Work& work = *work_;
      places_--;
      active_++;
      lock.unlock();
      take_blocks(work, scheduler);
      lock.lock();
      if (--active_ == 0) idle_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  Work* work_ = nullptr;
  unsigned started_ = 0, places_ = 0, active_ = 0;
};

// Never destroyed: its threads sleep on it until the process ends.
Pool& pool = *new Pool;
unsigned worker_count = std::max(1l, sysconf(_SC_NPROCESSORS_ONLN));

}  // namespace

void (*note_access)(const void*, std::size_t, Access);
void (*note_launch)(std::uint64_t blocks);

void set_worker_count(unsigned count) { worker_count = std::max(1u, count); }

std::string run_launch(const Launch& launch) {
  // One launch at a time: whichever CPU thread asks for it takes part by this one.
  static BlockScheduler& scheduler = *create_block_scheduler();
  install_fault_handler();
  Work work;
  work.launch = &launch;
  work.blocks = std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  work.order = nullptr;
  std::vector<unsigned> order;
  if (launch.seed != 0) {
    order.resize(work.blocks);
    std::iota(order.begin(), order.end(), 0u);
    Random random{launch.seed};
    for (unsigned i = static_cast<unsigned>(work.blocks); i > 1; i--) std::swap(order[i - 1], order[random.below(i)]);
    work.order = order.data();
  }
  if (note_launch != nullptr) note_launch(work.blocks);
  const unsigned workers = note_access == nullptr ? worker_count : 1;
  const unsigned helpers = static_cast<unsigned>(std::min<std::size_t>(workers, work.blocks)) - 1;
  if (helpers == 0) {
    take_blocks(work, scheduler);
  } else {
    pool.run(work, helpers, scheduler);
  }
  return work.problem;
}

unsigned garbage_word(std::uint64_t seed) {
  static constexpr unsigned WORDS[] = {0xffffffffu, 0x7fc07fc0u, 0x7b7f7b7fu, 0xfb7ffb7fu};
  return WORDS[seed % 4];
}

void fill_garbage(void* memory, std::size_t bytes, std::uint64_t seed) {
  const unsigned word = garbage_word(seed);
  auto* const bytes_of_memory = static_cast<unsigned char*>(memory);
  for (std::size_t i = 0; i + 4 <= bytes; i += 4) std::memcpy(bytes_of_memory + i, &word, 4);
  std::memcpy(bytes_of_memory + bytes / 4 * 4, &word, bytes % 4);
}

}  // namespace stand_in
