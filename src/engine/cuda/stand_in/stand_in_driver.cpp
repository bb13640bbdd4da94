/**
 * `libcuda.so.1` on the CPU: the entry points of NVIDIA's driver that `driver/abi.ts` names, with its rules for what may
 * be called when. With a seed, work given to a stream is done only when something waits for it, as a GPU may do it.
 */
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime.h"
#include "stream.h"
#include "units.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace stand_in {

namespace {

/** `CUresult` of cuda.h. */
enum Status : int {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  NO_BINARY_FOR_GPU = 209,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_OUT_OF_RESOURCES = 701,
  LAUNCH_FAILED = 719,
  STREAM_CAPTURE_UNSUPPORTED = 900,
};

struct StatusText {
  int status;
  const char *name, *text;
};
constexpr StatusText STATUS_TEXTS[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
};

/** `CUdevice_attribute` and what the stand-in says; an H100's, so that launch shapes meet its limits. */
std::map<int, int> device_attributes = {
    {1, 1024}, {2, 1024}, {3, 1024}, {4, 64}, {5, 2147483647}, {6, 65535}, {7, 65535},
    {8, 49152},      // MAX_SHARED_MEMORY_PER_BLOCK
    {10, 32},        // WARP_SIZE
    {13, 1980000},   // CLOCK_RATE
    {16, 132},       // MULTIPROCESSOR_COUNT
    {32, 1},         // ECC_ENABLED
    {36, 2619000},   // MEMORY_CLOCK_RATE
    {37, 5120},      // GLOBAL_MEMORY_BUS_WIDTH
    {38, 52428800},  // L2_CACHE_SIZE
    {75, 9},  {76, 0},  // COMPUTE_CAPABILITY
    {81, 233472},    // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    {97, 232448},    // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
};
constexpr int MULTIPROCESSORS = 16, SHARED_BYTES = 8, SHARED_BYTES_OPT_IN = 97;

struct Function {
  const Kernel* kernel;
  int max_shared_bytes = 49152;
};

struct Module {
  const Unit* unit;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

std::vector<Kernel>& kernels() {
  static std::vector<Kernel> all;
  return all;
}

std::recursive_mutex mutex;
bool initialised = false;
int context_uses = 0;
char context;  // its address is the handle
thread_local void* current_context = nullptr;
bool waits_need_context = false, quiet = false;
/** A failed launch makes the context unusable, as on a GPU. */
int sticky_status = SUCCESS;
std::string last_problem;
std::uint64_t seed = 0, launches = 0;
Stream null_stream;
std::set<void*> streams, events, graphs, executables, modules, functions;
std::map<std::uint64_t, std::size_t> pinned_ranges;

int fail(int status, std::string problem) {
  last_problem = std::move(problem);
  if (!quiet) std::fprintf(stderr, "stand-in: %s\n", last_problem.c_str());
  return status;
}

/** Beginning of nearly every call. */
int ready(bool needs_context = true) {
  if (!initialised) return fail(NOT_INITIALIZED, "cuInit was not called");
  if (needs_context && (current_context == nullptr || context_uses == 0)) {
    return fail(INVALID_CONTEXT, "no context is current on this thread");
  }
  return sticky_status;
}

#define ENTER(...)                                       \
  const std::lock_guard lock(mutex);                     \
  if (const int not_ready = ready(__VA_ARGS__)) return not_ready

Stream* find_stream(void* handle) {
  if (handle == nullptr) return &null_stream;
  return streams.count(handle) ? static_cast<Stream*>(handle) : nullptr;
}

/** Does the stream's work up to a position. */
int advance(Stream& stream, std::uint64_t position) {
  while (stream.done < position && !stream.waiting.empty()) {
    const Operation operation = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    stream.done++;
    const int status = sticky_status ? sticky_status : operation();
    if (status && !sticky_status) sticky_status = status;
  }
  return sticky_status;
}

int finish(Stream& stream) {
  const int status = advance(stream, stream.given);
  if (status) return status;
  const std::string damage = find_damage();
  return damage.empty() ? SUCCESS : sticky_status = fail(ILLEGAL_ADDRESS, damage);
}

int finish_all() {
  for (void* stream : streams) advance(*static_cast<Stream*>(stream), UINT64_MAX);
  return finish(null_stream);
}

int give(void* handle, Operation operation) {
  Stream* const stream = find_stream(handle);
  if (stream == nullptr) return fail(INVALID_HANDLE, "there is no such stream");
  if (stream->capture != nullptr) {
    stream->capture->operations.push_back(std::move(operation));
    return SUCCESS;
  }
  stream->waiting.push_back(std::move(operation));
  stream->given++;
  return seed == 0 || stream == &null_stream ? advance(*stream, stream->given) : SUCCESS;
}

bool capturing() {
  for (void* stream : streams) {
    if (static_cast<Stream*>(stream)->capture != nullptr) return true;
  }
  return false;
}

int refuse_capture(const char* call) {
  return capturing() ? fail(STREAM_CAPTURE_UNSUPPORTED, std::string(call) + " while a stream is captured") : SUCCESS;
}

bool is_pinned(const void* memory, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uint64_t>(memory);
  auto next = pinned_ranges.upper_bound(address);
  if (next == pinned_ranges.begin()) return false;
  const auto& [start, size] = *std::prev(next);
  return address - start <= size && bytes <= size - (address - start);
}

int require_device_range(std::uint64_t address, std::size_t bytes, const char* call) {
  if (is_device_range(address, bytes)) return SUCCESS;
  return fail(INVALID_VALUE, std::string(call) + " of " + std::to_string(bytes) + " bytes at " + describe_address(address));
}

/** The arguments of a launch, kept until it runs; each takes 8 bytes. */
struct Arguments {
  std::vector<std::uint64_t> values;
  std::vector<void*> table;
  Arguments(const char* signature, void** given) {
    for (const char* letter = signature; *letter; letter++) values.push_back(0);
    for (std::size_t i = 0; i < values.size(); i++) {
      std::memcpy(&values[i], given[i], signature[i] == 'p' || signature[i] == 'l' ? 8 : 4);
    }
    for (auto& value : values) table.push_back(&value);
  }
};

double now_milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

}  // namespace

void register_kernels(const Kernel* first, unsigned count) { kernels().insert(kernels().end(), first, first + count); }

}  // namespace stand_in

using namespace stand_in;

// ---- Start, errors ----

EXPORT int cuInit(unsigned flags) {
  const std::lock_guard lock(mutex);
  if (flags != 0) return INVALID_VALUE;
  initialised = true;
  return SUCCESS;
}

EXPORT int cuDriverGetVersion(int* version) {
  *version = 13000;
  return SUCCESS;
}

EXPORT int cuGetErrorName(int status, const char** name) {
  for (const auto& known : STATUS_TEXTS) {
    if (known.status == status) {
      *name = known.name;
      return SUCCESS;
    }
  }
  *name = nullptr;
  return INVALID_VALUE;
}

EXPORT int cuGetErrorString(int status, const char** text) {
  for (const auto& known : STATUS_TEXTS) {
    if (known.status == status) {
      *text = known.text;
      return SUCCESS;
    }
  }
  *text = nullptr;
  return INVALID_VALUE;
}

// ---- Device and context ----

EXPORT int cuDeviceGetCount(int* count) {
  ENTER(false);
  *count = 1;
  return SUCCESS;
}

EXPORT int cuDeviceGet(int* device, int ordinal) {
  ENTER(false);
  if (ordinal != 0) return INVALID_DEVICE;
  *device = 0;
  return SUCCESS;
}

EXPORT int cuDeviceGetName(char* name, int bytes, int device) {
  ENTER(false);
  if (device != 0) return INVALID_DEVICE;
  std::snprintf(name, static_cast<std::size_t>(bytes), "CPU stand-in");
  return SUCCESS;
}

EXPORT int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  ENTER(false);
  if (device != 0) return INVALID_DEVICE;
  std::memcpy(uuid, "rewarm stand-in", 16);
  return SUCCESS;
}

EXPORT int cuDeviceTotalMem_v2(std::size_t* bytes, int device) {
  ENTER(false);
  if (device != 0) return INVALID_DEVICE;
  *bytes = device_bytes_total();
  return SUCCESS;
}

EXPORT int cuDeviceGetAttribute(int* value, int attribute, int device) {
  ENTER(false);
  if (device != 0) return INVALID_DEVICE;
  const auto found = device_attributes.find(attribute);
  if (found == device_attributes.end()) return fail(INVALID_VALUE, "device attribute " + std::to_string(attribute) + " is unknown");
  *value = found->second;
  return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxRetain(void** handle, int device) {
  const std::lock_guard lock(mutex);
  if (!initialised) return NOT_INITIALIZED;
  if (device != 0) return INVALID_DEVICE;
  context_uses++;
  *handle = &context;
  return SUCCESS;
}

/** The last release gives all memory back, and clears what a failed launch left. */
EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  const std::lock_guard lock(mutex);
  if (device != 0) return INVALID_DEVICE;
  if (context_uses == 0) return INVALID_CONTEXT;
  if (--context_uses == 0) {
    finish_all();
    free_all_device();
    sticky_status = SUCCESS;
  }
  return SUCCESS;
}

EXPORT int cuCtxSetCurrent(void* handle) {
  const std::lock_guard lock(mutex);
  if (!initialised) return NOT_INITIALIZED;
  if (handle != nullptr && handle != &context) return INVALID_CONTEXT;
  current_context = handle;
  return SUCCESS;
}

// ---- Modules ----

/** `options`: `CUjit_option`; 5 is the error log's buffer, 6 its size. */
EXPORT int cuModuleLoadDataEx(void** handle, const void* image, unsigned option_count, const int* options, void** values) {
  ENTER();
  const std::string text(static_cast<const char*>(image));
  const std::string heading = IMAGE_HEADING;
  std::string problem;
  int status = INVALID_IMAGE;
  if (text.compare(0, heading.size(), heading) != 0) {
    problem = "this is no image of the stand-in's NVRTC";
  } else {
    const std::size_t space = text.find(' ', heading.size());
    const std::string name = text.substr(heading.size(), space - heading.size());
    const std::string digest = text.substr(space + 1, text.find('\n', space) - space - 1);
    for (unsigned i = 0; i < unit_count; i++) {
      if (digest != units[i].digest) continue;
      auto* const module = new Module{&units[i], {}};
      modules.insert(module);
      *handle = module;
      return SUCCESS;
    }
    problem = "the image of \"" + name + "\" is of other sources than the stand-in: build it again";
    status = NO_BINARY_FOR_GPU;
  }
  for (unsigned i = 0; i < option_count; i++) {
    for (unsigned j = 0; options[i] == 5 && j < option_count; j++) {
      if (options[j] == 6) std::snprintf(static_cast<char*>(values[i]), reinterpret_cast<std::size_t>(values[j]), "%s", problem.c_str());
    }
  }
  return fail(status, problem);
}

EXPORT int cuModuleLoadData(void** handle, const void* image) { return cuModuleLoadDataEx(handle, image, 0, nullptr, nullptr); }

EXPORT int cuModuleUnload(void* handle) {
  ENTER();
  if (!modules.erase(handle)) return fail(INVALID_HANDLE, "there is no such module");
  finish_all();
  auto* const module = static_cast<Module*>(handle);
  for (const auto& [name, function] : module->functions) functions.erase(function.get());
  delete module;
  return SUCCESS;
}

EXPORT int cuModuleGetFunction(void** handle, void* module_handle, const char* name) {
  ENTER();
  if (!modules.count(module_handle)) return fail(INVALID_HANDLE, "there is no such module");
  auto& module = *static_cast<Module*>(module_handle);
  for (const Kernel& kernel : kernels()) {
    if (std::strcmp(kernel.unit, module.unit->digest) != 0 || std::strcmp(kernel.name, name) != 0) continue;
    auto& function = module.functions[name];
    if (function == nullptr) function.reset(new Function{&kernel});
    functions.insert(function.get());
    *handle = function.get();
    return SUCCESS;
  }
  return fail(NOT_FOUND, "there is no kernel \"" + std::string(name) + "\" in \"" + module.unit->name + "\"");
}

/** `CUfunction_attribute`: 0 threads a block, 8 dynamic shared memory; registers and local memory are unknown here. */
EXPORT int cuFuncGetAttribute(int* value, int attribute, void* handle) {
  ENTER();
  if (!functions.count(handle)) return fail(INVALID_HANDLE, "there is no such function");
  const auto& function = *static_cast<const Function*>(handle);
  const int max_threads = function.kernel->max_threads ? static_cast<int>(function.kernel->max_threads) : 1024;
  *value = attribute == 0 ? max_threads : attribute == 8 ? function.max_shared_bytes : 0;
  return SUCCESS;
}

EXPORT int cuFuncSetAttribute(void* handle, int attribute, int value) {
  ENTER();
  if (!functions.count(handle)) return fail(INVALID_HANDLE, "there is no such function");
  if (attribute == 8) {
    if (value < 0 || value > device_attributes[SHARED_BYTES_OPT_IN]) return fail(INVALID_VALUE, "so much shared memory has no block");
    static_cast<Function*>(handle)->max_shared_bytes = value;
  }
  return SUCCESS;
}

// ---- Memory ----

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
  fill_garbage(*memory, bytes, seed);
  pinned_ranges[reinterpret_cast<std::uint64_t>(*memory)] = bytes;
  return SUCCESS;
}

EXPORT int cuMemFreeHost(void* memory) {
  ENTER();
  if (!pinned_ranges.count(reinterpret_cast<std::uint64_t>(memory))) return fail(INVALID_VALUE, "this memory is not page-locked");
  finish_all();
  pinned_ranges.erase(reinterpret_cast<std::uint64_t>(memory));
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

// ---- Streams ----

EXPORT int cuStreamCreate(void** handle, unsigned) {
  ENTER();
  auto* const stream = new Stream;
  streams.insert(stream);
  *handle = stream;
  return SUCCESS;
}

EXPORT int cuStreamDestroy_v2(void* handle) {
  ENTER();
  if (!streams.count(handle)) return fail(INVALID_HANDLE, "there is no such stream");
  auto* const stream = static_cast<Stream*>(handle);
  advance(*stream, UINT64_MAX);
  for (void* event : events) {
    if (static_cast<Event*>(event)->stream == stream) *static_cast<Event*>(event) = {};
  }
  streams.erase(handle);
  delete stream;
  return SUCCESS;
}

/** Each question brings the work one step on. */
EXPORT int cuStreamQuery(void* handle) {
  ENTER();
  Stream* const stream = find_stream(handle);
  if (stream == nullptr) return fail(INVALID_HANDLE, "there is no such stream");
  if (stream->capture != nullptr) return refuse_capture("cuStreamQuery");
  if (stream->waiting.empty()) return finish(*stream);
  const int status = advance(*stream, stream->done + 1);
  return status ? status : NOT_READY;
}

EXPORT int cuStreamSynchronize(void* handle) {
  ENTER(waits_need_context);
  Stream* const stream = find_stream(handle);
  if (stream == nullptr) return fail(INVALID_HANDLE, "there is no such stream");
  if (stream->capture != nullptr) return refuse_capture("cuStreamSynchronize");
  return finish(*stream);
}

// ---- Graphs ----

EXPORT int cuStreamBeginCapture_v2(void* handle, int) {
  ENTER();
  if (!streams.count(handle)) return fail(STREAM_CAPTURE_UNSUPPORTED, "only a created stream can be captured");
  auto* const stream = static_cast<Stream*>(handle);
  if (stream->capture != nullptr) return fail(STREAM_CAPTURE_UNSUPPORTED, "the stream is captured already");
  stream->capture = new Graph;
  return SUCCESS;
}

EXPORT int cuStreamEndCapture(void* handle, void** graph) {
  ENTER();
  if (!streams.count(handle)) return fail(INVALID_HANDLE, "there is no such stream");
  auto* const stream = static_cast<Stream*>(handle);
  if (stream->capture == nullptr) return fail(INVALID_VALUE, "the stream is not captured");
  graphs.insert(*graph = stream->capture);
  stream->capture = nullptr;
  return SUCCESS;
}

EXPORT int cuGraphInstantiateWithFlags(void** handle, void* graph, unsigned long long) {
  ENTER();
  if (!graphs.count(graph)) return fail(INVALID_HANDLE, "there is no such graph");
  executables.insert(*handle = new Graph(*static_cast<Graph*>(graph)));
  return SUCCESS;
}

EXPORT int cuGraphLaunch(void* handle, void* stream) {
  ENTER();
  if (!executables.count(handle)) return fail(INVALID_HANDLE, "there is no such executable graph");
  for (const Operation& operation : static_cast<Graph*>(handle)->operations) {
    if (const int status = give(stream, operation)) return status;
  }
  return SUCCESS;
}

EXPORT int cuGraphDestroy(void* handle) {
  ENTER();
  if (!graphs.erase(handle)) return fail(INVALID_HANDLE, "there is no such graph");
  delete static_cast<Graph*>(handle);
  return SUCCESS;
}

EXPORT int cuGraphExecDestroy(void* handle) {
  ENTER();
  if (!executables.erase(handle)) return fail(INVALID_HANDLE, "there is no such executable graph");
  delete static_cast<Graph*>(handle);
  return SUCCESS;
}

// ---- Events ----

EXPORT int cuEventCreate(void** handle, unsigned) {
  ENTER();
  auto* const event = new Event;
  events.insert(event);
  *handle = event;
  return SUCCESS;
}

EXPORT int cuEventDestroy_v2(void* handle) {
  ENTER();
  if (!events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  auto* const event = static_cast<Event*>(handle);
  if (event->stream != nullptr) advance(*event->stream, event->position);
  events.erase(handle);
  delete event;
  return SUCCESS;
}

EXPORT int cuEventRecord(void* handle, void* stream_handle) {
  ENTER();
  if (!events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  Stream* const stream = find_stream(stream_handle);
  if (stream == nullptr) return fail(INVALID_HANDLE, "there is no such stream");
  auto* const event = static_cast<Event*>(handle);
  if (stream->capture == nullptr) {
    event->stream = stream;
    event->position = stream->given + 1;
  }
  return give(stream_handle, [event] {
    if (events.count(event)) event->milliseconds = now_milliseconds();
    return SUCCESS;
  });
}

EXPORT int cuEventQuery(void* handle) {
  ENTER();
  if (!events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  const auto& event = *static_cast<Event*>(handle);
  if (event.stream == nullptr || event.stream->done >= event.position) return SUCCESS;
  const int status = advance(*event.stream, event.stream->done + 1);
  return status ? status : NOT_READY;
}

EXPORT int cuEventSynchronize(void* handle) {
  ENTER();
  if (!events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  const auto& event = *static_cast<Event*>(handle);
  return event.stream == nullptr ? SUCCESS : advance(*event.stream, event.position);
}

EXPORT int cuEventElapsedTime(float* milliseconds, void* start_handle, void* end_handle) {
  ENTER();
  if (!events.count(start_handle) || !events.count(end_handle)) return fail(INVALID_HANDLE, "there is no such event");
  const auto &start = *static_cast<Event*>(start_handle), &end = *static_cast<Event*>(end_handle);
  for (const Event* event : {&start, &end}) {
    if (event->stream == nullptr) return fail(INVALID_HANDLE, "the event was never recorded");
    if (event->stream->done < event->position) return NOT_READY;
  }
  *milliseconds = static_cast<float>(end.milliseconds - start.milliseconds);
  return SUCCESS;
}

EXPORT int cuEventElapsedTime_v2(float* milliseconds, void* start, void* end) { return cuEventElapsedTime(milliseconds, start, end); }

// ---- Launches ----

EXPORT int cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                          unsigned block_z, unsigned shared_bytes, void* stream, void** parameters, void** extra) {
  ENTER();
  if (!functions.count(handle)) return fail(INVALID_HANDLE, "there is no such function");
  const auto& function = *static_cast<const Function*>(handle);
  const Kernel& kernel = *function.kernel;
  const std::string name = "kernel \"" + std::string(kernel.name) + "\"";
  const auto within = [](unsigned value, unsigned most) { return value >= 1 && value <= most; };
  if (extra != nullptr) return fail(INVALID_VALUE, name + ": the stand-in takes no extra parameters");
  if (!within(grid_x, 2147483647) || !within(grid_y, 65535) || !within(grid_z, 65535)) {
    return fail(INVALID_VALUE, name + ": a grid of " + std::to_string(grid_x) + " x " + std::to_string(grid_y) + " x " + std::to_string(grid_z));
  }
  const std::uint64_t threads = std::uint64_t{block_x} * block_y * block_z;
  if (threads < 1 || threads > 1024 || block_x > 1024 || block_y > 1024 || block_z > 64) {
    return fail(INVALID_VALUE, name + ": a block of " + std::to_string(block_x) + " x " + std::to_string(block_y) + " x " + std::to_string(block_z));
  }
  if (kernel.max_threads != 0 && threads > kernel.max_threads) {
    return fail(LAUNCH_OUT_OF_RESOURCES, name + ": a block of " + std::to_string(threads) + " threads, beyond its launch bounds of " + std::to_string(kernel.max_threads));
  }
  if (shared_bytes > static_cast<unsigned>(function.max_shared_bytes)) {
    return fail(INVALID_VALUE, name + ": " + std::to_string(shared_bytes) + " bytes of shared memory, allowed are " + std::to_string(function.max_shared_bytes));
  }
  const auto arguments = std::make_shared<Arguments>(kernel.signature, parameters);
  return give(stream, [=, &kernel] {
    const std::uint64_t number = ++launches;
    const Launch launch{&kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, arguments->table.data(),
                        seed == 0 ? 0 : Random{seed * 0x9e3779b97f4a7c15u + number}.next() | 1};
    const std::string problem = run_launch(launch);
    if (problem.empty()) return SUCCESS;
    return static_cast<Status>(fail(problem.find("illegal address") == std::string::npos ? LAUNCH_FAILED : ILLEGAL_ADDRESS, problem));
  });
}

// ---- What only the stand-in has, for tests ----

/** 0: in order; else blocks and threads run in an order made from it, and work waits until it must be done. */
EXPORT void stand_in_set_seed(std::uint64_t value) {
  const std::lock_guard lock(mutex);
  finish_all();
  seed = value;
  launches = 0;
}

/** CPU threads that share a launch's blocks. */
EXPORT void stand_in_set_workers(unsigned count) {
  const std::lock_guard lock(mutex);
  set_worker_count(count);
}

/** Memory that the device has. */
EXPORT void stand_in_set_memory(std::size_t bytes) {
  const std::lock_guard lock(mutex);
  set_device_bytes_total(bytes);
}

EXPORT void stand_in_set_attribute(int attribute, int value) {
  const std::lock_guard lock(mutex);
  device_attributes[attribute] = value;
}

/** Whether a wait on a thread without a current context fails, as some drivers have it. */
EXPORT void stand_in_set_waits_need_context(int value) {
  const std::lock_guard lock(mutex);
  waits_need_context = value != 0;
}

/** Whether problems are kept from the standard error. */
EXPORT void stand_in_set_quiet(int value) {
  const std::lock_guard lock(mutex);
  quiet = value != 0;
}

EXPORT std::uint64_t stand_in_launches() {
  const std::lock_guard lock(mutex);
  return launches;
}

/** The last problem as text ended by 0, cut to fit. */
EXPORT void stand_in_last_problem(char* text, std::size_t bytes) {
  const std::lock_guard lock(mutex);
  std::snprintf(text, bytes, "%s", last_problem.c_str());
}
