/** The driver's state, and the queues of work. */
#include "driver_state.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>

namespace stand_in {

Driver driver;

namespace {

/** Kept by the system, not as thread-local storage: see `context` of emulation.h. */
pthread_key_t current_context_key() {
  static const pthread_key_t key = [] {
    pthread_key_t created;
    if (pthread_key_create(&created, nullptr) != 0) std::abort();
    return created;
  }();
  return key;
}

}  // namespace

void* current_context() { return pthread_getspecific(current_context_key()); }
void set_current_context(void* context) { pthread_setspecific(current_context_key(), context); }

int fail(int status, std::string problem) {
  driver.last_problem = std::move(problem);
  if (!driver.quiet) std::fprintf(stderr, "stand-in: %s\n", driver.last_problem.c_str());
  return status;
}

int ready(bool needs_context) {
  if (!driver.initialised) return fail(NOT_INITIALIZED, "cuInit was not called");
  if (needs_context && (current_context() == nullptr || driver.context_uses == 0)) {
    return fail(INVALID_CONTEXT, "no context is current on this thread");
  }
  return driver.sticky_status;
}

Stream* find_stream(void* handle) {
  if (handle == nullptr) return &driver.null_stream;
  return driver.streams.count(handle) ? static_cast<Stream*>(handle) : nullptr;
}

int advance(Stream& stream, std::uint64_t position) {
  while (stream.done < position && !stream.waiting.empty()) {
    const Operation operation = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    stream.done++;
    const int status = driver.sticky_status ? driver.sticky_status : operation();
    if (status && !driver.sticky_status) driver.sticky_status = status;
  }
  return driver.sticky_status;
}

int finish(Stream& stream) {
  const int status = advance(stream, stream.given);
  if (status) return status;
  const std::string damage = find_damage();
  return damage.empty() ? SUCCESS : driver.sticky_status = fail(ILLEGAL_ADDRESS, damage);
}

int finish_all() {
  for (void* stream : driver.streams) advance(*static_cast<Stream*>(stream), UINT64_MAX);
  return finish(driver.null_stream);
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
  return driver.seed == 0 || stream == &driver.null_stream ? advance(*stream, stream->given) : SUCCESS;
}

namespace {

bool capturing() {
  for (void* stream : driver.streams) {
    if (static_cast<Stream*>(stream)->capture != nullptr) return true;
  }
  return false;
}

}  // namespace

int refuse_capture(const char* call) {
  return capturing() ? fail(STREAM_CAPTURE_UNSUPPORTED, std::string(call) + " while a stream is captured") : SUCCESS;
}

}  // namespace stand_in
