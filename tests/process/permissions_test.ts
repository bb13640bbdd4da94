/** Least privilege: what a verifier runs may read, and nothing else. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { DENIED, PROJECT, REPRODUCE, rewarm } from "./command_line.ts";

const ignore = Deno.build.os === "windows";

/** A reproduction with the caches that it filled, for all tests. */
const folder = ignore ? "" : await Deno.realPath(await Deno.makeTempDir());
globalThis.addEventListener("unload", () => ignore || Deno.removeSync(folder, { recursive: true }));
const MANIFEST = "out/manifest.dsse.json";
if (!ignore) {
  const made = await rewarm(folder, REPRODUCE, ["reproduce", "--scale", "smoke", "--only", "upstream", "--out", "out"]);
  assert.equal(made.code, 0, made.stderr);
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** No stack, no report of a bug, and nothing that waits for an answer. */
function assertClean(stderr: string): void {
  assert.doesNotMatch(stderr, /This is a bug|\n {4}at |Uncaught|Allow\?/);
}

test("verify needs nothing but to read", async () => {
  const { code, stdout, stderr } = await rewarm(folder, ["--allow-read", ...DENIED], ["verify", MANIFEST]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^Verified: /m);
});

test("verify needs to read the manifest's folder and its own files, and nothing besides", async () => {
  for (const [allowed, path] of [[`${folder}/out`, `${folder}/${MANIFEST}`], ["out", MANIFEST]] as const) {
    const permissions = [`--allow-read=${allowed},${PROJECT}`, ...DENIED];
    const { code, stdout, stderr } = await rewarm(folder, permissions, ["verify", path]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^Verified: /m);
  }
});

test("verify says what it may not read, with exit code 2", async () => {
  for (
    const [allowed, message] of [
      [PROJECT, /Cannot read "out\/manifest\.dsse\.json", Deno was not given the permission/],
      ["out", /Cannot read "experiments\/paper\.yaml", Deno was not given the permission/],
      [`${PROJECT},${MANIFEST}`, /artefacts +not checked .*Deno was not given the permission/],
    ] as const
  ) {
    const permissions = [`--allow-read=${allowed}`, ...DENIED];
    const { code, stdout, stderr } = await rewarm(folder, permissions, ["verify", MANIFEST]);
    assert.equal(code, 2, stdout + stderr);
    assert.match(stdout + stderr, message);
    assertClean(stderr);
  }
});

test("verify reads no file outside the manifest's folder that a link there leads to", async () => {
  await withFolder(async (copy) => {
    await Deno.symlink(`${folder}/out/plan.json`, `${copy}/plan.json`);
    await Deno.copyFile(`${folder}/${MANIFEST}`, `${copy}/manifest.dsse.json`);
    for (const allowed of [["--allow-read"], [`--allow-read=${await Deno.realPath(copy)},${PROJECT}`]]) {
      const { code, stdout } = await rewarm(copy, [...allowed, ...DENIED], ["verify", "manifest.dsse.json"]);
      assert.equal(code, 1, stdout);
      assert.match(stdout, /artefacts +FAILED +The name "plan\.json" leads out of the folder through a symbolic link/);
    }
  });
});

test("diff needs nothing but to read", async () => {
  const { code, stdout, stderr } = await rewarm(folder, ["--allow-read", ...DENIED], ["diff", MANIFEST, MANIFEST]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^A {2}\/.*\nSame bits/ms);
});

test("verify --retrain needs nothing but to read where the caches are filled, and says so where they are not", async () => {
  const args = ["verify", "--retrain", "2", "--threads", "2"];
  const retrained = await rewarm(folder, ["--allow-read", ...DENIED], [...args, MANIFEST]);
  assert.equal(retrained.code, 0, retrained.stdout + retrained.stderr);
  assert.match(retrained.stdout, /retrain +ok +2 of \d+ segments retrained/);
  await withFolder(async (elsewhere) => {
    const refused = await rewarm(elsewhere, ["--allow-read", ...DENIED], [...args, `${folder}/${MANIFEST}`]);
    assert.equal(refused.code, 2, refused.stdout + refused.stderr);
    assert.match(
      refused.stdout,
      /retrain +not checked .*give the command as "deno task retrain", which may write to \.cache/,
    );
    assertClean(refused.stderr);
    assert.deepEqual([...Deno.readDirSync(elsewhere)], []);
  });
});

test("the tasks of deno.json give a verifier no more than docs/verification.md says", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.json`));
  const permissions = (task: string): string[] => tasks[task].command.match(/--allow-\S+|-[A-Z]\b|--unstable\S*/g);
  assert.deepEqual(permissions("verify"), ["--allow-read"]);
  assert.deepEqual(permissions("diff"), ["--allow-read"]);
  assert.deepEqual(permissions("retrain"), ["--allow-read", "--allow-write=.cache", "--allow-env=CI"]);
});

test("no module that verifies can start a process, open a connection, or read the environment", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", `${PROJECT}/deno.json`, `${PROJECT}/src/manifest/verify/verify_file.ts`],
    cwd: PROJECT,
    stderr: "null",
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const own: string[] = modules.flatMap(({ local }: { local?: string }) =>
    local?.startsWith(`${PROJECT}/src/`) === true ? [local] : []
  );
  assert(
    own.length > 40 && own.some((path) => path.endsWith("/src/manifest/verify/verify.ts")),
    `${own.length} modules`,
  );
  const packages: string[] = modules.flatMap(({ npmPackage }: { npmPackage?: string }) =>
    npmPackage?.replace(/@[^@]*$/, "") ?? []
  );
  assert.deepEqual([...new Set(packages)].sort(), ["@noble/ed25519", "deno-std", "hash-wasm", "zod"]);
  const more =
    /\bDeno\.(Command|env|dlopen|connect|connectTls|listen|serve|resolveDns|hostname|osRelease|systemMemoryInfo|kill)\b|\bfetch\(|\bnew (Worker|WebSocket)\b|\bimport\(|from "node:(?!crypto")/;
  for (const path of own) assert.doesNotMatch(await Deno.readTextFile(path), more, path);
});
