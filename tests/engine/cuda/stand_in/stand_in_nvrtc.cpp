/**
 * NVRTC's entry points. Nothing is compiled: g++ did that when the stand-in was built. A source that it was built from
 * gives an image that names it, which the stand-in's driver loads; any other is a compilation error.
 */
#include <cstdio>
#include <cstring>
#include <string>

#include "units.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

/** `nvrtcResult` */
enum Result : int { SUCCESS = 0, INVALID_INPUT = 3, INVALID_PROGRAM = 4, INVALID_OPTION = 5, COMPILATION = 6 };

struct Program {
  std::string source, name, image, log;
};

const stand_in::Unit* find_unit(const std::string& source) {
  for (unsigned i = 0; i < stand_in::unit_count; i++) {
    if (source == stand_in::units[i].source) return &stand_in::units[i];
  }
  return nullptr;
}

}  // namespace

EXPORT int nvrtcVersion(int* major, int* minor) {
  // No release has this number: an image of the stand-in never counts as one of a real compiler.
  *major = 13;
  *minor = 999;
  return SUCCESS;
}

EXPORT const char* nvrtcGetErrorString(int result) {
  switch (result) {
    case SUCCESS: return "NVRTC_SUCCESS";
    case INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
    case INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
    case INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
    case COMPILATION: return "NVRTC_ERROR_COMPILATION";
    default: return "NVRTC_ERROR unknown";
  }
}

EXPORT int nvrtcGetNumSupportedArchs(int* count) {
  *count = 2;
  return SUCCESS;
}

EXPORT int nvrtcGetSupportedArchs(int* architectures) {
  architectures[0] = 80;
  architectures[1] = 90;
  return SUCCESS;
}

EXPORT int nvrtcCreateProgram(void** program, const char* source, const char* name, int headers, const char* const*,
                              const char* const*) {
  if (source == nullptr || headers != 0) return INVALID_INPUT;
  *program = new Program{source, name == nullptr ? "default_program" : name, "", ""};
  return SUCCESS;
}

EXPORT int nvrtcDestroyProgram(void** program) {
  if (program == nullptr || *program == nullptr) return INVALID_PROGRAM;
  delete static_cast<Program*>(*program);
  *program = nullptr;
  return SUCCESS;
}

EXPORT int nvrtcCompileProgram(void* handle, int count, const char* const* options) {
  auto& program = *static_cast<Program*>(handle);
  bool has_architecture = false;
  for (int i = 0; i < count; i++) {
    if (options[i][0] != '-') {
      program.log = std::string("nvrtc: error: invalid value for option: ") + options[i] + "\n";
      return INVALID_OPTION;
    }
    has_architecture |= std::strncmp(options[i], "--gpu-architecture=", 19) == 0;
  }
  if (!has_architecture) {
    program.log = "nvrtc: error: the stand-in wants an architecture\n";
    return INVALID_OPTION;
  }
  const stand_in::Unit* const unit = find_unit(program.source);
  if (unit == nullptr) {
    program.log = program.name + "(1): error: the stand-in was not built from this source\n";
    return COMPILATION;
  }
  program.image = IMAGE_HEADING + std::string(unit->name) + " " + unit->digest + "\n";
  for (int i = 0; i < count; i++) program.image += std::string(options[i]) + "\n";
  return SUCCESS;
}

EXPORT int nvrtcGetPTXSize(void* program, std::size_t* bytes) {
  *bytes = static_cast<Program*>(program)->image.size() + 1;
  return SUCCESS;
}
EXPORT int nvrtcGetPTX(void* program, char* image) {
  const auto& text = static_cast<Program*>(program)->image;
  std::memcpy(image, text.c_str(), text.size() + 1);
  return SUCCESS;
}
EXPORT int nvrtcGetCUBINSize(void* program, std::size_t* bytes) { return nvrtcGetPTXSize(program, bytes); }
EXPORT int nvrtcGetCUBIN(void* program, char* image) { return nvrtcGetPTX(program, image); }
EXPORT int nvrtcGetProgramLogSize(void* program, std::size_t* bytes) {
  *bytes = static_cast<Program*>(program)->log.size() + 1;
  return SUCCESS;
}
EXPORT int nvrtcGetProgramLog(void* program, char* log) {
  const auto& text = static_cast<Program*>(program)->log;
  std::memcpy(log, text.c_str(), text.size() + 1);
  return SUCCESS;
}
