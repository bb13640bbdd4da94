/**
 * The memory of the device that is not there. Every allocation lies in pages of its own between pages that nobody may
 * touch, ends (up to alignment) where they end, is filled with garbage, and has a margin that must not change. Freed
 * pages are never used again, so that a late access faults as well.
 */
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "runtime.h"

namespace stand_in {

namespace {

constexpr std::size_t PAGE = 4096;
/** Before and after each allocation: as far as a wrong index is likely to go. */
constexpr std::size_t FORBIDDEN = std::size_t{64} << 20;
constexpr std::size_t ALIGNMENT = 256;
constexpr unsigned MARGIN_WORD = 0xbadc0de5u;

struct Allocation {
  unsigned char* pages;
  std::size_t page_bytes;
  std::size_t bytes;
  bool alive;
  void* shadow = nullptr;
};

std::mutex mutex;
std::map<std::uint64_t, Allocation> allocations;
std::size_t total = std::size_t{4} << 30;
std::size_t used = 0;
std::uint64_t allocation_count = 0, free_count = 0;

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

unsigned char margin_byte(std::uint64_t address) { return MARGIN_WORD >> address % 4 * 8 & 0xff; }

/** The allocation at or below an address. */
std::map<std::uint64_t, Allocation>::iterator at_or_below(std::uint64_t address) {
  auto next = allocations.upper_bound(address);
  return next == allocations.begin() ? allocations.end() : std::prev(next);
}

std::string hexadecimal(std::uint64_t address) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

std::string name(std::uint64_t address, const Allocation& allocation) {
  const std::string kind = allocation.alive ? "the allocation of " : "the freed allocation of ";
  return kind + std::to_string(allocation.bytes) + " bytes at " + hexadecimal(address);
}

template <class Visit> void for_margin(std::uint64_t address, const Allocation& allocation, Visit visit) {
  const auto begin = reinterpret_cast<std::uint64_t>(allocation.pages);
  for (std::uint64_t p = begin; p < address; p++) visit(p);
  for (std::uint64_t p = address + allocation.bytes; p < begin + allocation.page_bytes; p++) visit(p);
}

/** The addresses stay taken. */
void give_back(Allocation& allocation) {
  allocation.alive = false;
  free_count++;
  std::free(allocation.shadow);
  used -= round_up(allocation.bytes, ALIGNMENT);
  madvise(allocation.pages, allocation.page_bytes, MADV_DONTNEED);
  mprotect(allocation.pages, allocation.page_bytes, PROT_NONE);
}

}  // namespace

std::uint64_t allocate_device(std::size_t bytes) {
  const std::lock_guard lock(mutex);
  const std::size_t aligned = round_up(bytes, ALIGNMENT);
  if (aligned > total - used || aligned < bytes) return 0;
  const std::size_t page_bytes = round_up(aligned, PAGE);
  constexpr int KIND = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const memory = mmap(nullptr, page_bytes + 2 * FORBIDDEN, PROT_NONE, KIND, -1, 0);
  if (memory == MAP_FAILED) return 0;
  auto* const pages = static_cast<unsigned char*>(memory) + FORBIDDEN;
  mprotect(pages, page_bytes, PROT_READ | PROT_WRITE);
  const auto address = reinterpret_cast<std::uint64_t>(pages + page_bytes - aligned);
  const Allocation allocation{pages, page_bytes, bytes, true};
  fill_garbage(reinterpret_cast<void*>(address), bytes, allocation_count++);
  for_margin(address, allocation, [](std::uint64_t p) { *reinterpret_cast<unsigned char*>(p) = margin_byte(p); });
  allocations[address] = allocation;
  used += aligned;
  return address;
}

bool free_device(std::uint64_t address) {
  const std::lock_guard lock(mutex);
  const auto found = allocations.find(address);
  if (found == allocations.end() || !found->second.alive) return false;
  give_back(found->second);
  return true;
}

void free_all_device() {
  const std::lock_guard lock(mutex);
  for (auto& [address, allocation] : allocations) {
    if (allocation.alive) give_back(allocation);
  }
}

bool is_device_range(std::uint64_t address, std::size_t bytes) {
  const std::lock_guard lock(mutex);
  const auto found = at_or_below(address);
  return found != allocations.end() && found->second.alive && address - found->first <= found->second.bytes &&
         bytes <= found->second.bytes - (address - found->first);
}

bool find_device_range(std::uint64_t address, DeviceRange* range) {
  const std::lock_guard lock(mutex);
  // The pages before an allocation's address are its own as well.
  for (auto candidate : {at_or_below(address), allocations.lower_bound(address)}) {
    if (candidate == allocations.end() || !candidate->second.alive) continue;
    const std::uint64_t start = candidate->first;
    Allocation& allocation = candidate->second;
    const auto first_page = reinterpret_cast<std::uint64_t>(allocation.pages);
    if (address < first_page || address >= first_page + allocation.page_bytes) continue;
    *range = {first_page, first_page + allocation.page_bytes, start, allocation.bytes, &allocation.shadow};
    return true;
  }
  return false;
}

std::uint64_t device_frees() { return free_count; }

std::string find_damage() {
  const std::lock_guard lock(mutex);
  for (const auto& [address, allocation] : allocations) {
    if (!allocation.alive) continue;
    std::string damage;
    for_margin(address, allocation, [&, start = address](std::uint64_t p) {
      if (!damage.empty() || *reinterpret_cast<const unsigned char*>(p) == margin_byte(p)) return;
      damage = "something was written " +
               (p < start ? std::to_string(start - p) + " bytes before "
                          : std::to_string(p - start - allocation.bytes) + " bytes after the end of ") +
               name(start, allocation);
    });
    if (!damage.empty()) return damage;
  }
  return {};
}

std::string describe_address(std::uint64_t address) {
  if (address < PAGE) return "null pointer plus " + std::to_string(address);
  std::string description = hexadecimal(address);
  const auto below = at_or_below(address);
  const auto above = allocations.upper_bound(address);
  if (below != allocations.end() && address - below->first < below->second.bytes + FORBIDDEN) {
    const std::uint64_t offset = address - below->first, bytes = below->second.bytes;
    description += offset < bytes ? ", " + std::to_string(offset) + " bytes into "
                                  : ", " + std::to_string(offset - bytes) + " bytes after the end of ";
    return description + name(below->first, below->second);
  }
  if (above != allocations.end() && above->first - address < FORBIDDEN) {
    description += ", " + std::to_string(above->first - address) + " bytes before " + name(above->first, above->second);
  }
  return description;
}

std::size_t device_bytes_total() { return total; }
std::size_t device_bytes_free() { return total - used; }
void set_device_bytes_total(std::size_t bytes) { total = bytes; }

}  // namespace stand_in
