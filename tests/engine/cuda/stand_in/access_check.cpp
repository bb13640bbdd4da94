/**
 * Checks every access of a kernel to the device's and to shared memory: that it lies in an allocation, and that no
 * other thread may access the same place at the same time. g++ calls these functions before each access when it
 * compiles for its thread sanitizer, whose own library knows nothing of blocks and warps and is not linked.
 *
 * Two accesses of one place, at least one of them a write and not both atomic, are ordered if they are of one thread,
 * or of one block with a barrier between them, or of one warp with a `__syncwarp` between them, or of different
 * launches. A shuffle orders nothing. Any other pair is a race, whatever the order in which the stand-in came to run
 * it.
 */
#include <array>
#include <cstdlib>
#include <string>

#include "runtime.h"

namespace stand_in {

namespace {

/** Neighbouring 16-bit values of different threads are common, neighbouring bytes are not. */
constexpr std::size_t CELL_BYTES = 2;
constexpr std::uint16_t MANY_OF_WARP = 0x8000, MANY = 0xffff;

/** An access as later ones need it. Blocks are numbered through all launches, from 1. */
struct Past {
  std::uint32_t block, barriers;
  std::uint16_t warp_barriers;
  /** its number; or MANY_OF_WARP + the warp's; or MANY of one block */
  std::uint16_t thread;
};

struct Cell {
  Past write, read;
  bool atomic_write;
  /** whether another block of the launch of `read` read as well */
  bool read_by_blocks;
  /** the block that has a copy to here under way */
  std::uint32_t copying_block;
};

const std::string ILLEGAL = "illegal address: ";
std::uint32_t launch_base = 1, next_base = 1;

struct Cached {
  std::uint64_t page;
  DeviceRange range;
};
std::array<Cached, 1024> cache;
std::uint64_t cache_frees = 0;

const DeviceRange* device_range(std::uint64_t address) {
  if (cache_frees != device_frees()) {
    cache.fill({});
    cache_frees = device_frees();
  }
  const std::uint64_t page = address >> 12;
  Cached& cached = cache[page % cache.size()];
  if (cached.page == page) return &cached.range;
  DeviceRange range;
  if (!find_device_range(address, &range)) return nullptr;
  cached = {page, range};
  return &cached.range;
}

/** Ends the block. */
[[gnu::cold]] void fail(std::size_t bytes, Access access, const std::string& where) {
  static constexpr const char* DOING[] = {"reads ", "writes ", "changes ", "begins to copy ", "ends to copy "};
  abort_block((DOING[static_cast<int>(access)] + std::to_string(bytes) + " bytes; " + where).c_str());
}

std::string other(const Past& past, const char* did) {
  const bool same_block = past.block == launch_base + standing().block;
  std::string who = past.thread == MANY ? "other threads" : "thread " + std::to_string(past.thread);
  if (past.thread != MANY && past.thread & MANY_OF_WARP) {
    who = "other lanes of warp " + std::to_string(past.thread & ~MANY_OF_WARP);
  }
  if (!same_block) who += " of block " + std::to_string(past.block - launch_base);
  return "which " + who + " " + did + (same_block ? " with no barrier between" : " in the same launch");
}

/** What decides whether a past access is ordered before one of now. */
struct Now {
  Standing standing;
  /** as in `Past` */
  std::uint32_t block;
  /** whether the memory is the block's own */
  bool of_block;
};

/** The only warp that made a past access, or none's number if several did. */
unsigned warp_of(const Past& past) {
  return past.thread < MANY_OF_WARP ? past.thread / LANES : past.thread - MANY_OF_WARP;
}

bool is_ordered(const Past& past, const Now& own) {
  const Standing& now = own.standing;
  if (past.block != own.block) return own.of_block || past.block < launch_base;  // the latter: another launch, or never
  if (past.thread == now.thread || past.barriers != now.barriers) return true;
  const bool same_warp = warp_of(past) == now.thread / LANES;
  return same_warp && past.warp_barriers != static_cast<std::uint16_t>(now.warp_barriers);
}

/** @return what the access may collide with, `nullptr` if nothing */
const char* collide(Cell& cell, Access access, const Now& here, Past* past) {
  const auto& [now, block, of_block] = here;
  if (cell.copying_block == block && access != Access::copy_end) return "";
  cell.copying_block = access == Access::copy_begin ? block : 0;
  *past = cell.write;
  if (!(access == Access::atomic && cell.atomic_write) && !is_ordered(cell.write, here)) return "wrote";
  const Past own{block, now.barriers, static_cast<std::uint16_t>(now.warp_barriers),
                 static_cast<std::uint16_t>(now.thread)};
  if (access == Access::read) {
    const bool unordered = !is_ordered(cell.read, here);
    const Past before = cell.read;
    cell.read = own;
    if (!unordered) {
      cell.read_by_blocks = cell.read_by_blocks && before.block >= launch_base;
    } else if (before.block != block) {
      cell.read_by_blocks = true;
    } else {
      const unsigned own_warp = now.thread / LANES;
      cell.read.thread = warp_of(before) == own_warp ? static_cast<std::uint16_t>(MANY_OF_WARP | own_warp) : MANY;
    }
    return nullptr;
  }
  *past = cell.read;
  if (!is_ordered(cell.read, here)) return "read";
  if (!of_block && cell.read.block >= launch_base && cell.read_by_blocks) return "and others read";
  cell.write = own;
  cell.atomic_write = access == Access::atomic;
  return nullptr;
}

std::string describe_device(const void* address) { return describe_address(reinterpret_cast<std::uint64_t>(address)); }

std::string describe_shared(const void* pointer) {
  const auto* const address = static_cast<const unsigned char*>(pointer);
  for (const bool dynamic : {true, false}) {
    const SharedRange range = shared_range(dynamic);
    if (address < range.first || address >= range.last) continue;
    const std::string of = " of the block's " + std::to_string(range.end - range.begin) + " bytes of " + range.name;
    if (address < range.begin) return std::to_string(range.begin - address) + " bytes before the begin" + of;
    if (address >= range.end) return std::to_string(address - range.end) + " bytes after the end" + of;
    return "at offset " + std::to_string(address - range.begin) + of;
  }
  return {};
}

/** `offset` from the shadow's first cell. */
void note_cells(Cell* shadow, std::size_t offset, std::size_t bytes, Access access, bool of_block,
                const void* address) {
  const Standing now = standing();
  const std::uint32_t block = launch_base + now.block;
  const Now here{now, block, of_block};
  for (std::size_t i = offset / CELL_BYTES; i <= (offset + bytes - 1) / CELL_BYTES; i++) {
    Past past;
    const char* const did = collide(shadow[i], access, here, &past);
    if (did == nullptr) continue;
    const std::string why = *did == '\0' ? "where a copy is under way that was not waited for" : other(past, did);
    fail(bytes, access, (of_block ? describe_shared(address) : describe_device(address)) + ", " + why);
  }
}

Cell* allocate_cells(std::size_t bytes) {
  void* const cells = std::calloc(bytes / CELL_BYTES + 1, sizeof(Cell));
  if (cells == nullptr) std::abort();
  return static_cast<Cell*>(cells);
}

void check(const void* pointer, std::size_t bytes, Access access) {
  if (!in_kernel() || bytes == 0) return;
  const auto address = reinterpret_cast<std::uint64_t>(pointer);
  for (const bool dynamic : {true, false}) {
    const SharedRange range = shared_range(dynamic);
    const auto* const byte = static_cast<const unsigned char*>(pointer);
    if (byte < range.first || byte >= range.last) continue;
    if (byte < range.begin || byte + bytes > range.end) return fail(bytes, access, ILLEGAL + describe_shared(pointer));
    static Cell* shadows[2] = {allocate_cells(range.last - range.first), allocate_cells(range.last - range.first)};
    return note_cells(shadows[dynamic], static_cast<std::size_t>(byte - range.first), bytes, access, true, pointer);
  }
  const DeviceRange* const range = device_range(address);
  if (range == nullptr) return;  // the thread's own stack, or constants
  if (address < range->address || address + bytes > range->address + range->bytes) {
    return fail(bytes, access, ILLEGAL + describe_device(pointer));
  }
  if (*range->shadow == nullptr) *range->shadow = allocate_cells(range->bytes);
  note_cells(static_cast<Cell*>(*range->shadow), address - range->address, bytes, access, false, pointer);
}

__attribute__((constructor)) void start() {
  note_access = check;
  note_launch = [](std::uint64_t blocks) {
    launch_base = next_base;
    next_base += static_cast<std::uint32_t>(blocks);
  };
}

}  // namespace

}  // namespace stand_in

// ---- What g++ calls ----

using stand_in::Access;
using stand_in::note_access;

#define EXPORT extern "C" __attribute__((visibility("hidden")))

EXPORT void __tsan_init() {}
EXPORT void __tsan_func_entry(void*) {}
EXPORT void __tsan_func_exit() {}
EXPORT void __tsan_vptr_update(void**, void*) {}

#define ACCESSES(bytes)                                                                                  \
  EXPORT void __tsan_read##bytes(void* p) { note_access(p, bytes, Access::read); }                       \
  EXPORT void __tsan_write##bytes(void* p) { note_access(p, bytes, Access::write); }                     \
  EXPORT void __tsan_unaligned_read##bytes(void* p) { note_access(p, bytes, Access::read); }             \
  EXPORT void __tsan_unaligned_write##bytes(void* p) { note_access(p, bytes, Access::write); }           \
  EXPORT void __tsan_volatile_read##bytes(void* p) { note_access(p, bytes, Access::read); }              \
  EXPORT void __tsan_volatile_write##bytes(void* p) { note_access(p, bytes, Access::write); }
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

EXPORT void __tsan_read_range(void* p, std::size_t bytes) { note_access(p, bytes, Access::read); }
EXPORT void __tsan_write_range(void* p, std::size_t bytes) { note_access(p, bytes, Access::write); }

EXPORT unsigned __tsan_atomic32_fetch_add(volatile unsigned* p, unsigned value, int) {
  note_access(const_cast<unsigned*>(p), 4, Access::atomic);
  return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);
}
EXPORT unsigned __tsan_atomic32_fetch_or(volatile unsigned* p, unsigned value, int) {
  note_access(const_cast<unsigned*>(p), 4, Access::atomic);
  return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);
}
EXPORT unsigned __tsan_atomic32_exchange(volatile unsigned* p, unsigned value, int) {
  note_access(const_cast<unsigned*>(p), 4, Access::atomic);
  return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);
}
/** Guards of static variables, no kernel's memory. */
EXPORT unsigned char __tsan_atomic8_load(const volatile unsigned char* p, int) {
  return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}
EXPORT void __tsan_atomic_thread_fence(int) {}
EXPORT void __tsan_atomic_signal_fence(int) {}
