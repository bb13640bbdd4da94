/** The driver's entry points for memory: taking it, giving it back, copying and filling. */
#include <cstdlib>
#include <cstring>

#include "driver_state.h"

namespace stand_in {

namespace {

bool is_pinned(const void* memory, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uint64_t>(memory);
  auto next = driver.pinned.upper_bound(address);
  if (next == driver.pinned.begin()) return false;
  const auto& [start, size] = *std::prev(next);
  return address - start <= size && bytes <= size - (address - start);
}

int require_device_range(std::uint64_t address, std::size_t bytes, const char* call) {
  if (is_device_range(address, bytes)) return SUCCESS;
  return fail(INVALID_VALUE,
              std::string(call) + " of " + std::to_string(bytes) + " bytes at " + describe_address(address));
}

}  // namespace

}  // namespace stand_in

using namespace stand_in;

EXPORT int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  ENTER();
  *free = device_bytes_free();
  *total = device_bytes_total();
  return SUCCESS;
}

EXPORT int cuMemAlloc_v2(std::uint64_t* address, std::size_t bytes) {
  ENTER();
  if (const int status = refuse_capture("cuMemAlloc")) return status;
  if (bytes == 0) return fail(INVALID_VALUE, "an allocation of 0 bytes");
  *address = allocate_device(bytes);
  return *address == 0 ? OUT_OF_MEMORY : SUCCESS;
}

EXPORT int cuMemFree_v2(std::uint64_t address) {
  ENTER();
  if (const int status = refuse_capture("cuMemFree")) return status;
  if (const int status = finish_all()) return status;
  if (address != 0 && !free_device(address)) return fail(INVALID_VALUE, "a free of " + describe_address(address));
  return SUCCESS;
}

EXPORT int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) {
  ENTER();
  if (bytes == 0) return fail(INVALID_VALUE, "an allocation of 0 bytes");
  *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  fill_garbage(*memory, bytes, driver.seed);
  driver.pinned[reinterpret_cast<std::uint64_t>(*memory)] = bytes;
  return SUCCESS;
}

EXPORT int cuMemFreeHost(void* memory) {
  ENTER();
  const auto address = reinterpret_cast<std::uint64_t>(memory);
  if (!driver.pinned.count(address)) return fail(INVALID_VALUE, "this memory is not page-locked");
  finish_all();
  driver.pinned.erase(address);
  std::free(memory);
  return SUCCESS;
}

/** Ordinary memory is read before the call returns, page-locked memory when the stream comes to it. */
EXPORT int cuMemcpyHtoDAsync_v2(std::uint64_t target, const void* source, std::size_t bytes, void* stream) {
  ENTER();
  if (const int status = require_device_range(target, bytes, "a copy to the device")) return status;
  const Operation copy = [=] {
    std::memcpy(reinterpret_cast<void*>(target), source, bytes);
    return SUCCESS;
  };
  if (is_pinned(source, bytes)) return give(stream, copy);
  if (const int status = refuse_capture("a copy from memory that is not page-locked")) return status;
  if (const int status = give(stream, copy)) return status;
  return advance(*find_stream(stream), UINT64_MAX);
}

EXPORT int cuMemcpyDtoHAsync_v2(void* target, std::uint64_t source, std::size_t bytes, void* stream) {
  ENTER();
  if (const int status = require_device_range(source, bytes, "a copy from the device")) return status;
  const Operation copy = [=] {
    std::memcpy(target, reinterpret_cast<const void*>(source), bytes);
    return SUCCESS;
  };
  if (is_pinned(target, bytes)) return give(stream, copy);
  if (const int status = refuse_capture("a copy to memory that is not page-locked")) return status;
  if (const int status = give(stream, copy)) return status;
  return advance(*find_stream(stream), UINT64_MAX);
}

EXPORT int cuMemcpyDtoDAsync_v2(std::uint64_t target, std::uint64_t source, std::size_t bytes, void* stream) {
  ENTER();
  if (const int status = require_device_range(target, bytes, "a copy to")) return status;
  if (const int status = require_device_range(source, bytes, "a copy from")) return status;
  return give(stream, [=] {
    std::memmove(reinterpret_cast<void*>(target), reinterpret_cast<const void*>(source), bytes);
    return SUCCESS;
  });
}

EXPORT int cuMemsetD32Async(std::uint64_t target, unsigned word, std::size_t words, void* stream) {
  ENTER();
  if (target % 4 != 0) return fail(INVALID_VALUE, "the address to fill is no multiple of 4");
  if (const int status = require_device_range(target, words * 4, "a fill")) return status;
  return give(stream, [=] {
    auto* const memory = reinterpret_cast<unsigned*>(target);
    for (std::size_t i = 0; i < words; i++) memory[i] = word;
    return SUCCESS;
  });
}
