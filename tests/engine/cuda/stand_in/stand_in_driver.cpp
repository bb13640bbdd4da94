/**
 * `libcuda.so.1` on the CPU: the entry points of NVIDIA's driver that `driver/abi.ts` names, with its rules for what
 * may be called when. Here: start, errors, device and context.
 */
#include <cstdlib>
#include <cstdio>
#include <cstring>

#include "driver_state.h"

namespace stand_in {

namespace {

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
    {STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
};

}  // namespace

std::map<int, int> h100_attributes() {
  return {
      // threads and blocks at most: in a block, along its axes, along the grid's
      {1, 1024}, {2, 1024}, {3, 1024}, {4, 64}, {5, 2147483647}, {6, 65535}, {7, 65535},
      {8, 49152},          // shared memory of a block
      {10, 32},            // lanes of a warp
      {13, 1980000},       // clock in kHz
      {16, 132},           // multiprocessors
      {32, 1},             // error correction
      {36, 2619000},       // clock of the memory in kHz
      {37, 5120},          // width of its bus in bits
      {38, 52428800},      // cache in bytes
      {75, 9}, {76, 0},    // compute capability
      {81, 233472},        // shared memory of a multiprocessor
      {SHARED_BYTES_OPT_IN, 232448},
  };
}

}  // namespace stand_in

using namespace stand_in;

// ---- Start, errors ----

EXPORT int cuInit(unsigned flags) {
  const std::lock_guard lock(driver.mutex);
  if (flags != 0) return INVALID_VALUE;
  driver.initialised = true;
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
  // Each rank of Open MPI's has a device of its own.
  if (const char* rank = std::getenv("OMPI_COMM_WORLD_RANK")) uuid[15] = static_cast<unsigned char>(1 + std::atoi(rank));
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
  const auto found = driver.attributes.find(attribute);
  if (found == driver.attributes.end()) {
    return fail(INVALID_VALUE, "device attribute " + std::to_string(attribute) + " is unknown");
  }
  *value = found->second;
  return SUCCESS;
}

EXPORT int cuDevicePrimaryCtxRetain(void** handle, int device) {
  const std::lock_guard lock(driver.mutex);
  if (!driver.initialised) return NOT_INITIALIZED;
  if (device != 0) return INVALID_DEVICE;
  driver.context_uses++;
  *handle = &driver.context;
  return SUCCESS;
}

/** The last release gives all memory back, and clears what a failed launch left. */
EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  const std::lock_guard lock(driver.mutex);
  if (device != 0) return INVALID_DEVICE;
  if (driver.context_uses == 0) return INVALID_CONTEXT;
  if (--driver.context_uses == 0) {
    finish_all();
    free_all_device();
    driver.sticky_status = SUCCESS;
  }
  return SUCCESS;
}

EXPORT int cuCtxSetCurrent(void* handle) {
  const std::lock_guard lock(driver.mutex);
  if (!driver.initialised) return NOT_INITIALIZED;
  if (handle != nullptr && handle != &driver.context) return INVALID_CONTEXT;
  set_current_context(handle);
  return SUCCESS;
}
