/** The kernels' sources that the stand-in was built from; `build.ts` writes the table. */
#pragma once

#define IMAGE_HEADING "rewarm stand-in image of "

namespace stand_in {

struct Unit {
  const char *name, *digest, *source;
};

extern const Unit units[];
extern const unsigned unit_count;

}  // namespace stand_in
