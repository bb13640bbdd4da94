/* NVML as far as it tells the driver's release. */
#include <stdio.h>

static int started;
int nvmlInit_v2(void) { started = 1; return 0; }
int nvmlShutdown(void) { started = 0; return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned bytes) { snprintf(text, bytes, "550.54.15"); return started ? 0 : 1; }
