/** What only the stand-in can be told, for tests: see `controls.ts`. */
#include <cstdio>

#include "driver_state.h"

using namespace stand_in;

/** 0: in order; else blocks and threads run in an order made from it, and work waits until it must be done. */
EXPORT void stand_in_set_seed(std::uint64_t value) {
  const std::lock_guard lock(driver.mutex);
  finish_all();
  driver.seed = value;
  driver.launches = 0;
}

/** CPU threads that share a launch's blocks. */
EXPORT void stand_in_set_workers(unsigned count) {
  const std::lock_guard lock(driver.mutex);
  set_worker_count(count);
}

/** Memory that the device has. */
EXPORT void stand_in_set_memory(std::size_t bytes) {
  const std::lock_guard lock(driver.mutex);
  set_device_bytes_total(bytes);
}

EXPORT void stand_in_set_attribute(int attribute, int value) {
  const std::lock_guard lock(driver.mutex);
  driver.attributes[attribute] = value;
}

/** Whether a wait on a thread without a current context fails, as some drivers have it. */
EXPORT void stand_in_set_waits_need_context(int value) {
  const std::lock_guard lock(driver.mutex);
  driver.waits_need_context = value != 0;
}

/** Whether problems are kept from the standard error. */
EXPORT void stand_in_set_quiet(int value) {
  const std::lock_guard lock(driver.mutex);
  driver.quiet = value != 0;
}

EXPORT std::uint64_t stand_in_launches() {
  const std::lock_guard lock(driver.mutex);
  return driver.launches;
}

/** The last problem as text ended by 0, cut to fit. */
EXPORT void stand_in_last_problem(char* text, std::size_t bytes) {
  const std::lock_guard lock(driver.mutex);
  std::snprintf(text, bytes, "%s", driver.last_problem.c_str());
}
