// How the library's functions are declared, and how they find their operands: byte offsets from the session's memory,
// handed over as doubles, which Deno's fast calls take without conversion.
#pragma once
#include <stdint.h>

#define JOIN(a, b) a##b
#define NAME(prefix, name) JOIN(prefix, name)
#ifdef _WIN32
#define EXPORT(type, name) __declspec(dllexport) type NAME(PREFIX, name)
#else
#define EXPORT(type, name) __attribute__((visibility("default"))) type NAME(PREFIX, name)
#endif

typedef double Address;
typedef char *Memory;
#define FLOATS(address) ((float *)(memory + (uint64_t)(address)))
#define TOKENS(address) ((const uint16_t *)(memory + (uint64_t)(address)))
