/*
 * A driver for tests of what goes wrong: every call does the least that makes it look right, and any of them can be
 * told to fail. Device memory is host memory; the one kernel, "echo", writes its parameters where the first points.
 *
 * FAKE_DEVICES: how many GPUs it says there are. FAKE_OLD: it lacks what came with CUDA 11.4. FAKE_ANCIENT: it lacks
 * what every supported driver has. FAKE_STATUS_CUINIT: what cuInit returns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_DEVICES
#define FAKE_DEVICES 1
#endif
#ifndef FAKE_STATUS_CUINIT
#define FAKE_STATUS_CUINIT 0
#endif
#define MEMORY (64u << 20)

static char failing[64];
static int failing_status, waits_need_context, freed, capturing;
static uint64_t taken, launches;
static __thread uint64_t current;
static char calls[1 << 16];

/* The test's handle on it: the function of this name returns the status from now on. */
void fake_fail(const char *name, int status) {
  snprintf(failing, sizeof failing, "%s", name);
  failing_status = status;
}
/* 1: waiting needs a context on the thread that waits. */
void fake_waits_need_context(int yes) { waits_need_context = yes; }
int fake_freed(void) { return freed; }
uint64_t fake_launches(void) { return launches; }
const char *fake_calls(void) { return calls; }

static int begin(const char *name) {
  if (strlen(calls) + strlen(name) + 2 < sizeof calls) strcat(strcat(calls, name), "\n");
  return strcmp(failing, name) == 0 ? failing_status : 0;
}
#define BEGIN \
  { const int status = begin(__func__); if (status) return status; }

int cuInit(unsigned flags) { BEGIN return flags ? 1 : FAKE_STATUS_CUINIT; }
int cuDriverGetVersion(int *version) { BEGIN *version = 12040; return 0; }
int cuGetErrorName(int status, const char **name) {
  *name = status == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : status == 100 ? "CUDA_ERROR_NO_DEVICE"
        : status == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : status == 12345 ? 0 : "CUDA_ERROR_OTHER";
  return *name == 0;
}
int cuGetErrorString(int status, const char **text) { *text = "words"; return status == 12345; }
int cuDeviceGetCount(int *count) { BEGIN *count = FAKE_DEVICES; return 0; }
int cuDeviceGet(int *device, int ordinal) { BEGIN *device = 40 + ordinal; return 0; }
int cuDeviceGetName(char *name, int bytes, int device) { BEGIN snprintf(name, bytes, "Fake GPU %d", device); return 0; }
#ifndef FAKE_OLD
int cuDeviceGetUuid_v2(unsigned char *uuid, int device) {
  BEGIN
  for (int i = 0; i < 16; i++) uuid[i] = 16 * i + i;
  return device < 40;
}
#endif
int cuDeviceTotalMem_v2(size_t *bytes, int device) { BEGIN *bytes = MEMORY; return device < 40; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  BEGIN
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 97 ? 100000 : 1000 + attribute;
  return device < 40;
}
int cuDevicePrimaryCtxRetain(uint64_t *context, int device) { BEGIN *context = 7000 + device; return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { BEGIN return device < 40; }
int cuCtxSetCurrent(uint64_t context) { BEGIN current = context; return 0; }
int cuModuleLoadDataEx(uint64_t *module, const char *image, unsigned count, const int *options, void **values) {
  BEGIN
  if (strcmp(image, "echo image")) {
    if (count == 2 && options[0] == 5 && options[1] == 6) snprintf(values[0], (size_t)values[1], "ptxas: no image of mine");
    return 200;
  }
  *module = 0x3000;
  return 0;
}
int cuModuleUnload(uint64_t module) { BEGIN return module != 0x3000; }
int cuModuleGetFunction(uint64_t *function, uint64_t module, const char *name) {
  BEGIN
  *function = 0x4000;
  return strcmp(name, "echo") || module != 0x3000 ? 500 : 0;
}
int cuFuncGetAttribute(int *value, int attribute, uint64_t function) {
  BEGIN
  *value = attribute == 0 ? 256 : attribute == 1 ? 1024 : 30 + attribute;
  return function != 0x4000;
}
int cuFuncSetAttribute(uint64_t function, int attribute, int value) { BEGIN return function != 0x4000 || attribute != 8 || value > 98976; }
int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { BEGIN *total = MEMORY; *free_bytes = MEMORY - taken; return 0; }
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  BEGIN
  if (taken + bytes > MEMORY) return 2;
  taken += bytes;
  *address = (uint64_t)aligned_alloc(256, (bytes + 255) & ~(size_t)255);
  return 0;
}
int cuMemFree_v2(uint64_t address) { BEGIN freed++; free((void *)address); return 0; }
int cuMemHostAlloc(uint64_t *address, size_t bytes, unsigned flags) {
  BEGIN
  *address = (uint64_t)aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
  return flags != 0;
}
int cuMemFreeHost(uint64_t address) { BEGIN free((void *)address); return 0; }
static int copy(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) {
  if (!capturing) memcpy((void *)to, (void *)from, bytes);
  return stream != 0x2000;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) { BEGIN return copy(to, from, bytes, stream); }
int cuMemcpyDtoHAsync_v2(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) { BEGIN return copy(to, from, bytes, stream); }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, uint64_t stream) { BEGIN return copy(to, from, bytes, stream); }
int cuMemsetD32Async(uint64_t to, unsigned word, size_t count, uint64_t stream) {
  BEGIN
  for (size_t i = 0; i < count; i++) ((unsigned *)to)[i] = word;
  return stream != 0x2000;
}
int cuStreamCreate(uint64_t *stream, unsigned flags) { BEGIN *stream = 0x2000; return flags != 1; }
int cuStreamDestroy_v2(uint64_t stream) { BEGIN return stream != 0x2000; }
int cuStreamQuery(uint64_t stream) {
  static int asked;
  BEGIN
  return stream != 0x2000 ? 400 : asked++ % 3 < 2 ? 600 : 0;
}
int cuStreamSynchronize(uint64_t stream) {
  BEGIN
  if (waits_need_context && current == 0) return 201;
  return stream == 0x2000 ? 0 : 400;
}
int cuStreamBeginCapture_v2(uint64_t stream, int mode) { BEGIN capturing = 1; return stream != 0x2000 || mode != 1; }
int cuStreamEndCapture(uint64_t stream, uint64_t *graph) { capturing = 0; BEGIN *graph = 0x5000; return stream != 0x2000; }
#ifndef FAKE_OLD
int cuGraphInstantiateWithFlags(uint64_t *executable, uint64_t graph, uint64_t flags) {
  BEGIN
  *executable = 0x6000;
  return graph != 0x5000 || flags != 0;
}
#endif
int cuGraphLaunch(uint64_t executable, uint64_t stream) { BEGIN return executable != 0x6000 || stream != 0x2000; }
int cuGraphDestroy(uint64_t graph) { BEGIN return graph != 0x5000; }
int cuGraphExecDestroy(uint64_t executable) { BEGIN return executable != 0x6000; }
int cuEventCreate(uint64_t *event, unsigned flags) { BEGIN *event = 0x8000 + flags; return 0; }
int cuEventDestroy_v2(uint64_t event) { BEGIN return event < 0x8000; }
int cuEventRecord(uint64_t event, uint64_t stream) { BEGIN return event < 0x8000 || stream != 0x2000; }
int cuEventQuery(uint64_t event) { BEGIN return event < 0x8000; }
int cuEventSynchronize(uint64_t event) { BEGIN return event < 0x8000; }
int cuEventElapsedTime(float *milliseconds, uint64_t start, uint64_t end) { BEGIN *milliseconds = 1.5f; return start != 0x8000 || end != 0x8000; }
#ifndef FAKE_ANCIENT
int cuLaunchKernel(uint64_t function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, uint64_t stream, void **parameters, void **extra) {
  BEGIN
  if (capturing) return 0;
  launches++;
  uint64_t *out = *(uint64_t **)parameters[0];
  uint32_t bits;
  out[0] = *(uint32_t *)parameters[1];
  out[1] = (uint64_t)(int64_t)*(int32_t *)parameters[2];
  memcpy(&bits, parameters[3], 4);
  out[2] = bits;
  out[3] = *(uint64_t *)parameters[4];
  out[4] = *(uint64_t *)parameters[5];
  const unsigned shape[] = {gx, gy, gz, bx, by, bz, shared};
  for (int i = 0; i < 7; i++) out[5 + i] = shape[i];
  return function != 0x4000 || stream != 0x2000 || extra != 0;
}
#endif
