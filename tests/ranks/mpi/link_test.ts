/** Links over real MPI. */
import assert from "node:assert/strict";
import { finished, mpiTest, openMpiTest, startRanks } from "./launchers.ts";

const PROGRAM = decodeURIComponent(new URL("exchange_program.ts", import.meta.url).pathname);
const RUN = ["run", "--no-prompt", "--allow-read", "--allow-env", "--allow-ffi=/usr/lib,/usr/lib64,/opt"];

for (const ranks of [1, 2, 5]) {
  mpiTest(`${ranks} ranks exchange bytes, and all end in order`, async (launcher) => {
    const { code, stdout, stderr } = await finished(startRanks(launcher, ranks, [...RUN, PROGRAM]));
    assert.equal(code, 0, stderr);
    const lines = stdout.trim().split("\n").sort();
    assert.equal(lines.length, ranks, stdout);
    lines.forEach((line, rank) => assert.match(line, new RegExp(`^rank ${rank} of ${ranks}: ${launcher.name} \\d`)));
  });
}

openMpiTest("a launcher and a library of different MPIs are found out", async (launcher) => {
  const program = decodeURIComponent(new URL("other_library_program.ts", import.meta.url).pathname);
  const { code, stdout } = await finished(startRanks(launcher, 2, [...RUN, program]));
  assert.equal(code, 0);
  assert.match(stdout, /Open MPI's mpirun started rank 1 of 2, and .*libmpich.so.12 says rank 0 of 1: the launcher/);
});

openMpiTest("without leave to load it, no library is found, and what was looked for is named", async (launcher) => {
  const denied = RUN.filter((word) => !word.startsWith("--allow-ffi"));
  const { code, stderr } = await finished(startRanks(launcher, 1, [...denied, PROGRAM]));
  assert.notEqual(code, 0);
  assert.match(stderr, /No MPI library was found: looked for libmpi.so.40, libmpich.so.12.* in .*\/usr\/lib/);
});
