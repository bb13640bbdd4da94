/** What the driver's entry points share: its state, and the work that streams wait to do. */
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace stand_in {

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

/** `CUdevice_attribute`: those that decide more than an answer. */
constexpr int SHARED_BYTES_OPT_IN = 97;

/** One piece of work; returns a `CUresult`. */
using Operation = std::function<int()>;

struct Graph {
  std::vector<Operation> operations;
};

/** Work in the order it was given, done as late as the program allows. */
struct Stream {
  std::deque<Operation> waiting;
  std::uint64_t given = 0, done = 0;
  /** what is captured, if anything */
  Graph* capture = nullptr;
};

struct Event {
  /** how much its stream had been given when it was recorded, itself included */
  std::uint64_t position = 0;
  /** null: never recorded */
  Stream* stream = nullptr;
  double milliseconds = 0;
};

/** What `cuDeviceGetAttribute` says if it is told nothing else. */
std::map<int, int> h100_attributes();

struct Driver {
  std::recursive_mutex mutex;
  bool initialised = false;
  int context_uses = 0;
  /** its address is the context's handle */
  char context = 0;
  /** a failed launch makes the context unusable, as on a GPU */
  int sticky_status = SUCCESS;
  bool waits_need_context = false, quiet = false;
  std::string last_problem;
  std::uint64_t seed = 0, launches = 0;
  Stream null_stream;
  /** living handles */
  std::set<void*> streams, events, graphs, executables, modules, functions;
  /** page-locked memory: address and size */
  std::map<std::uint64_t, std::size_t> pinned;
  /** by `CUdevice_attribute` */
  std::map<int, int> attributes = h100_attributes();
};
extern Driver driver;
/** The context that is current on this CPU thread, or null. */
void* current_context();
void set_current_context(void* context);

/** Notes a problem in words. @return the status */
int fail(int status, std::string problem);

/** Whether a call may be made: what `ENTER` asks first. */
int ready(bool needs_context = true);

#define ENTER(...)                              \
  const std::lock_guard lock(driver.mutex);     \
  if (const int not_ready = ready(__VA_ARGS__)) return not_ready

/** @return `nullptr` if there is no such stream */
Stream* find_stream(void* handle);

/** Gives a stream work, or adds it to what is captured. Without a seed it is done at once. */
int give(void* stream, Operation operation);

/** Does the stream's work up to a position. */
int advance(Stream& stream, std::uint64_t position);

/** Does all the stream's work, and looks for damage. */
int finish(Stream& stream);
int finish_all();

/** An error if any stream is captured: for calls that would wait. */
int refuse_capture(const char* call);

}  // namespace stand_in
