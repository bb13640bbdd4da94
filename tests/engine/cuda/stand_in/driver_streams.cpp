/**
 * The driver's entry points for streams, graphs and events. With a seed, work is done only when something waits for it,
 * as a GPU may do it.
 */
#include <time.h>

#include "driver_state.h"

namespace stand_in {

namespace {

double now_milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

}  // namespace

}  // namespace stand_in

using namespace stand_in;

// ---- Streams ----

EXPORT int cuStreamCreate(void** handle, unsigned) {
  ENTER();
  auto* const stream = new Stream;
  driver.streams.insert(stream);
  *handle = stream;
  return SUCCESS;
}

EXPORT int cuStreamDestroy_v2(void* handle) {
  ENTER();
  if (!driver.streams.count(handle)) return fail(INVALID_HANDLE, "there is no such stream");
  auto* const stream = static_cast<Stream*>(handle);
  advance(*stream, UINT64_MAX);
  for (void* event : driver.events) {
    if (static_cast<Event*>(event)->stream == stream) *static_cast<Event*>(event) = {};
  }
  driver.streams.erase(handle);
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
  ENTER(driver.waits_need_context);
  Stream* const stream = find_stream(handle);
  if (stream == nullptr) return fail(INVALID_HANDLE, "there is no such stream");
  if (stream->capture != nullptr) return refuse_capture("cuStreamSynchronize");
  return finish(*stream);
}

// ---- Graphs ----

EXPORT int cuStreamBeginCapture_v2(void* handle, int) {
  ENTER();
  if (!driver.streams.count(handle)) return fail(STREAM_CAPTURE_UNSUPPORTED, "only a created stream can be captured");
  auto* const stream = static_cast<Stream*>(handle);
  if (stream->capture != nullptr) return fail(STREAM_CAPTURE_UNSUPPORTED, "the stream is captured already");
  stream->capture = new Graph;
  return SUCCESS;
}

EXPORT int cuStreamEndCapture(void* handle, void** graph) {
  ENTER();
  if (!driver.streams.count(handle)) return fail(INVALID_HANDLE, "there is no such stream");
  auto* const stream = static_cast<Stream*>(handle);
  if (stream->capture == nullptr) return fail(INVALID_VALUE, "the stream is not captured");
  driver.graphs.insert(*graph = stream->capture);
  stream->capture = nullptr;
  return SUCCESS;
}

EXPORT int cuGraphInstantiateWithFlags(void** handle, void* graph, unsigned long long) {
  ENTER();
  if (!driver.graphs.count(graph)) return fail(INVALID_HANDLE, "there is no such graph");
  driver.executables.insert(*handle = new Graph(*static_cast<Graph*>(graph)));
  return SUCCESS;
}

EXPORT int cuGraphLaunch(void* handle, void* stream) {
  ENTER();
  if (!driver.executables.count(handle)) return fail(INVALID_HANDLE, "there is no such executable graph");
  for (const Operation& operation : static_cast<Graph*>(handle)->operations) {
    if (const int status = give(stream, operation)) return status;
  }
  return SUCCESS;
}

EXPORT int cuGraphDestroy(void* handle) {
  ENTER();
  if (!driver.graphs.erase(handle)) return fail(INVALID_HANDLE, "there is no such graph");
  delete static_cast<Graph*>(handle);
  return SUCCESS;
}

EXPORT int cuGraphExecDestroy(void* handle) {
  ENTER();
  if (!driver.executables.erase(handle)) return fail(INVALID_HANDLE, "there is no such executable graph");
  delete static_cast<Graph*>(handle);
  return SUCCESS;
}

// ---- Events ----

EXPORT int cuEventCreate(void** handle, unsigned) {
  ENTER();
  auto* const event = new Event;
  driver.events.insert(event);
  *handle = event;
  return SUCCESS;
}

EXPORT int cuEventDestroy_v2(void* handle) {
  ENTER();
  if (!driver.events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  auto* const event = static_cast<Event*>(handle);
  if (event->stream != nullptr) advance(*event->stream, event->position);
  driver.events.erase(handle);
  delete event;
  return SUCCESS;
}

EXPORT int cuEventRecord(void* handle, void* stream_handle) {
  ENTER();
  if (!driver.events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  Stream* const stream = find_stream(stream_handle);
  if (stream == nullptr) return fail(INVALID_HANDLE, "there is no such stream");
  auto* const event = static_cast<Event*>(handle);
  if (stream->capture == nullptr) {
    event->stream = stream;
    event->position = stream->given + 1;
  }
  return give(stream_handle, [event] {
    if (driver.events.count(event)) event->milliseconds = now_milliseconds();
    return SUCCESS;
  });
}

EXPORT int cuEventQuery(void* handle) {
  ENTER();
  if (!driver.events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  const auto& event = *static_cast<Event*>(handle);
  if (event.stream == nullptr || event.stream->done >= event.position) return SUCCESS;
  const int status = advance(*event.stream, event.stream->done + 1);
  return status ? status : NOT_READY;
}

EXPORT int cuEventSynchronize(void* handle) {
  ENTER();
  if (!driver.events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
  const auto& event = *static_cast<Event*>(handle);
  return event.stream == nullptr ? SUCCESS : advance(*event.stream, event.position);
}

EXPORT int cuEventElapsedTime(float* milliseconds, void* start_handle, void* end_handle) {
  ENTER();
  for (void* handle : {start_handle, end_handle}) {
    if (!driver.events.count(handle)) return fail(INVALID_HANDLE, "there is no such event");
    const auto& event = *static_cast<Event*>(handle);
    if (event.stream == nullptr) return fail(INVALID_HANDLE, "the event was never recorded");
    if (event.stream->done < event.position) return NOT_READY;
  }
  const double start = static_cast<Event*>(start_handle)->milliseconds;
  *milliseconds = static_cast<float>(static_cast<Event*>(end_handle)->milliseconds - start);
  return SUCCESS;
}
