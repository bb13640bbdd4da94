/** The driver's entry points for modules, their kernels, and launches. */
#include <cstdio>
#include <cstring>
#include <memory>

#include "driver_state.h"
#include "units.h"

namespace stand_in {

namespace {

/** `CUjit_option` */
constexpr int ERROR_LOG = 5, ERROR_LOG_BYTES = 6;
/** `CUfunction_attribute` */
constexpr int MAX_THREADS = 0, MAX_DYNAMIC_SHARED_BYTES = 8;

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

}  // namespace

void register_kernels(const Kernel* first, unsigned count) { kernels().insert(kernels().end(), first, first + count); }

}  // namespace stand_in

using namespace stand_in;

EXPORT int cuModuleLoadDataEx(void** handle, const void* image, unsigned option_count, const int* options,
                              void** values) {
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
      driver.modules.insert(module);
      *handle = module;
      return SUCCESS;
    }
    problem = "the image of \"" + name + "\" is of other sources than the stand-in: build it again";
    status = NO_BINARY_FOR_GPU;
  }
  char* log = nullptr;
  std::size_t log_bytes = 0;
  for (unsigned i = 0; i < option_count; i++) {
    if (options[i] == ERROR_LOG) log = static_cast<char*>(values[i]);
    if (options[i] == ERROR_LOG_BYTES) log_bytes = reinterpret_cast<std::size_t>(values[i]);
  }
  if (log_bytes > 0) std::snprintf(log, log_bytes, "%s", problem.c_str());
  return fail(status, problem);
}

EXPORT int cuModuleUnload(void* handle) {
  ENTER();
  if (!driver.modules.erase(handle)) return fail(INVALID_HANDLE, "there is no such module");
  finish_all();
  auto* const module = static_cast<Module*>(handle);
  for (const auto& [name, function] : module->functions) driver.functions.erase(function.get());
  delete module;
  return SUCCESS;
}

EXPORT int cuModuleGetFunction(void** handle, void* module_handle, const char* name) {
  ENTER();
  if (!driver.modules.count(module_handle)) return fail(INVALID_HANDLE, "there is no such module");
  auto& module = *static_cast<Module*>(module_handle);
  for (const Kernel& kernel : kernels()) {
    if (std::strcmp(kernel.unit, module.unit->digest) != 0 || std::strcmp(kernel.name, name) != 0) continue;
    auto& function = module.functions[name];
    if (function == nullptr) function.reset(new Function{&kernel});
    driver.functions.insert(function.get());
    *handle = function.get();
    return SUCCESS;
  }
  return fail(NOT_FOUND, "there is no kernel \"" + std::string(name) + "\" in \"" + module.unit->name + "\"");
}

/** Registers and local memory are unknown here: 0. */
EXPORT int cuFuncGetAttribute(int* value, int attribute, void* handle) {
  ENTER();
  if (!driver.functions.count(handle)) return fail(INVALID_HANDLE, "there is no such function");
  const auto& function = *static_cast<const Function*>(handle);
  const int max_threads = function.kernel->max_threads ? static_cast<int>(function.kernel->max_threads) : 1024;
  *value = attribute == MAX_THREADS ? max_threads
           : attribute == MAX_DYNAMIC_SHARED_BYTES ? function.max_shared_bytes
                                                   : 0;
  return SUCCESS;
}

EXPORT int cuFuncSetAttribute(void* handle, int attribute, int value) {
  ENTER();
  if (!driver.functions.count(handle)) return fail(INVALID_HANDLE, "there is no such function");
  if (attribute != MAX_DYNAMIC_SHARED_BYTES) return SUCCESS;
  if (value < 0 || value > driver.attributes[SHARED_BYTES_OPT_IN]) {
    return fail(INVALID_VALUE, "no block can have " + std::to_string(value) + " bytes of shared memory");
  }
  static_cast<Function*>(handle)->max_shared_bytes = value;
  return SUCCESS;
}

// ---- Launches ----

namespace {

/** Why CUDA would refuse a launch. @return a status, SUCCESS if it would not */
int refuse(const Function& function, const Launch& launch) {
  const auto& [kernel, grid, block, shared_bytes, arguments, seed] = launch;
  const std::string name = "kernel \"" + std::string(kernel->name) + "\": ";
  const auto by = [](uint3 v) {
    return std::to_string(v.x) + " x " + std::to_string(v.y) + " x " + std::to_string(v.z);
  };
  const auto within = [](unsigned value, unsigned most) { return value >= 1 && value <= most; };
  if (!within(grid.x, 2147483647) || !within(grid.y, 65535) || !within(grid.z, 65535)) {
    return fail(INVALID_VALUE, name + "a grid of " + by(grid));
  }
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (!within(block.x, 1024) || !within(block.y, 1024) || !within(block.z, 64) || threads > 1024) {
    return fail(INVALID_VALUE, name + "a block of " + by(block));
  }
  if (kernel->max_threads != 0 && threads > kernel->max_threads) {
    return fail(LAUNCH_OUT_OF_RESOURCES, name + std::to_string(threads) +
                                             " threads a block, beyond its launch bounds of " +
                                             std::to_string(kernel->max_threads));
  }
  if (shared_bytes > static_cast<unsigned>(function.max_shared_bytes)) {
    return fail(INVALID_VALUE, name + std::to_string(shared_bytes) + " bytes of shared memory, allowed are " +
                                   std::to_string(function.max_shared_bytes));
  }
  return SUCCESS;
}

}  // namespace

EXPORT int cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                          unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream, void** parameters,
                          void** extra) {
  ENTER();
  if (!driver.functions.count(handle)) return fail(INVALID_HANDLE, "there is no such function");
  if (extra != nullptr) return fail(INVALID_VALUE, "the stand-in takes no extra parameters");
  const auto& function = *static_cast<const Function*>(handle);
  Launch launch{function.kernel, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, nullptr, 0};
  if (const int status = refuse(function, launch)) return status;
  const auto arguments = std::make_shared<Arguments>(function.kernel->signature, parameters);
  return give(stream, [=]() mutable {
    const std::uint64_t number = ++driver.launches;
    launch.arguments = arguments->table.data();
    launch.seed = driver.seed == 0 ? 0 : Random{driver.seed * 0x9e3779b97f4a7c15u + number}.next() | 1;
    const std::string problem = run_launch(launch);
    if (problem.empty()) return static_cast<int>(SUCCESS);
    return fail(problem.find("illegal address") == std::string::npos ? LAUNCH_FAILED : ILLEGAL_ADDRESS, problem);
  });
}
