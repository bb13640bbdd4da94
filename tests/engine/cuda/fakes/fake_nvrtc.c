/*
 * NVRTC that "compiles" a source into its options and itself. A source with "#error" does not compile.
 * FAKE_MINOR: of its version 12.x, default 4. FAKE_ARCHITECTURE: the only one it knows, default 90.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_MINOR
#define FAKE_MINOR 4
#endif
#ifndef FAKE_ARCHITECTURE
#define FAKE_ARCHITECTURE 90
#endif

typedef struct { char *source, *image; } Program;
static int compiled;
int fake_compiled(void) { return compiled; }

int nvrtcVersion(int *major, int *minor) { *major = 12; *minor = FAKE_MINOR; return 0; }
const char *nvrtcGetErrorString(int result) { return result == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_OTHER"; }
int nvrtcGetNumSupportedArchs(int *count) { *count = 1; return 0; }
int nvrtcGetSupportedArchs(int *architectures) { *architectures = FAKE_ARCHITECTURE; return 0; }
int nvrtcCreateProgram(Program **made, const char *source, const char *name, int headers, void *a, void *b) {
  *made = calloc(1, sizeof **made);
  (*made)->source = strdup(source);
  return strcmp(name, "kernels.cu") || headers || a || b;
}
int nvrtcDestroyProgram(Program **program) { free((*program)->source); free((*program)->image); free(*program); *program = NULL; return 0; }
int nvrtcCompileProgram(Program *program, int count, const char **options) {
  compiled++;
  program->image = calloc(1, strlen(program->source) + 4096);
  for (int i = 0; i < count; i++) strcat(strcat(program->image, options[i]), "\n");
  strcat(program->image, program->source);
  return strstr(program->source, "#error") ? 6 : 0;
}
int nvrtcGetCUBINSize(Program *program, size_t *bytes) { *bytes = strlen(program->image) + 6; return 0; }
int nvrtcGetCUBIN(Program *program, char *image) { memcpy(image, "cubin ", 6); memcpy(image + 6, program->image, strlen(program->image)); return 0; }
int nvrtcGetPTXSize(Program *program, size_t *bytes) { *bytes = strlen(program->image) + 5; return 0; }
int nvrtcGetPTX(Program *program, char *image) { memcpy(image, "PTX ", 4); memcpy(image + 4, program->image, strlen(program->image) + 1); return 0; }
int nvrtcGetProgramLogSize(Program *program, size_t *bytes) { *bytes = program ? 32 : 0; return 0; }
int nvrtcGetProgramLog(Program *program, char *log) { snprintf(log, 32, "line 1: %.16s", program->source); return 0; }
