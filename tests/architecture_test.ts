/** Rules that hold for the whole tree: rooms, web-standard code, and no arithmetic that engines may round as they like. */
import assert from "node:assert/strict";
import { COMPILER } from "../src/engine/exact/kernels.ts";
import { circlesOf, closureOf, codeOf, sourceFiles } from "../tools/imports.ts";
import { INNER_STOREYS, type Room, storeyOf, STOREYS } from "../tools/rooms.ts";

const ROOT = new URL("../", import.meta.url);
const FILES = await sourceFiles(ROOT);
const code = codeOf;

/** Imports that go up. */
function offences(storeys: readonly (readonly Room[])[]): string[] {
  return FILES.flatMap(({ path, imports }) => {
    const own = storeyOf(path, storeys);
    return own === undefined ? [] : imports
      .filter((target) => (storeyOf(target, storeys) ?? 0) > own)
      .map((target) => `${path} imports ${target}`);
  });
}

Deno.test("every file of src/ lies in a room, and imports only from its own storey and those below", () => {
  const outside = FILES.filter(({ path }) => storeyOf(path, STOREYS) === undefined).map(({ path }) => path);
  assert.deepEqual(outside, [
    "src/error_codes.ts",
    "src/errors.ts",
    "src/options.ts",
    "src/public_types.ts",
    "src/terminal.ts",
  ]);
  assert.deepEqual(offences(STOREYS), []);
});

for (const [name, storeys] of Object.entries(INNER_STOREYS)) {
  Deno.test(`the rooms of ${name} stand on each other as docs/architecture.md draws them`, () => {
    const outside = FILES.filter(({ path }) => path.startsWith(`src/${name}/`))
      .filter(({ path }) => storeyOf(path, storeys) === undefined);
    assert.deepEqual(outside, []);
    assert.deepEqual(offences(storeys), []);
  });
}

Deno.test("no files of src/ import each other in a circle", () => {
  assert.deepEqual(circlesOf(FILES).map((circle) => circle.join(" → ")), []);
});

Deno.test("src/ uses no Math function whose last bit an engine may choose, and no Math.random", () => {
  const loose =
    /Math\.(sin|cos|tan|asin|acos|atan2?|sinh|cosh|tanh|exp|expm1|log|log1p|log2|log10|pow|cbrt|hypot|random)\b/;
  assert.deepEqual(FILES.filter(({ text }) => loose.test(code(text))).map(({ path }) => path), []);
});

Deno.test("the engine and the verifier use web-standard interfaces only, in all that they import", () => {
  const platform = /\bDeno\.|from "node:|\bprocess\./;
  const roots = [
    "src/attestation/read.ts",
    "src/attestation/require.ts",
    "src/engine/exact/engine.ts",
    "src/engine/exact/worker.ts",
    "src/manifest/verify/inclusion.ts",
    "src/manifest/verify/verify.ts",
    "src/report/manifest_renderer.ts",
    "src/results/paper_judge.ts",
  ];
  const reached = closureOf(roots, FILES);
  assert(reached.size > 80, `${reached.size} files`);
  const offenders = FILES.filter(({ path, text }) => reached.has(path) && platform.test(code(text)));
  assert.deepEqual(offenders.map(({ path }) => path), []);
});

Deno.test("the kernels' compiler is the one that deno.json pins", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assert.equal(imports.assemblyscript, `npm:${COMPILER}`);
});

Deno.test("src/ names no path of one machine", () => {
  const path = /(^|[^\w.])\/(tmp|work|root|home)\/[a-z]/m;
  assert.deepEqual(FILES.filter(({ text }) => path.test(text)).map(({ path }) => path), []);
});

Deno.test("src/ changes files and folders in one place, which follows no link, and opens them in one place", () => {
  const RULES = [
    // Deno's names, with any ending in Sync, by the one file that may use them.
    ["src/files/open_regular.ts", /\bDeno\.open(Sync)?\b/],
    [
      "src/files/deno_file_system.ts",
      /\bDeno\.(mkdir|remove|rename|link|chmod|makeTempDir|open)(Sync)?\b/,
    ],
    [
      undefined,
      /\bDeno\.(create|writeFile|writeTextFile|copyFile|truncate|symlink|chown|utime|makeTempFile|umask|FsFile\()(Sync)?\b/,
    ],
    [undefined, /^import (?!\{ statfs \} ).*["'`]node:(fs|child_process)\b.*|\((["'`])node:(fs|child_process)\b/m],
    // A name taken out of the namespace, or asked for by a string, would pass by the rules above.
    [undefined, /\bDeno\[|=\s*Deno\s*[,;)]/],
  ] as const;
  const offences: string[] = [];
  for (const { path, text } of FILES) {
    const allowed = RULES.filter(([owner]) => owner === path).map(([, pattern]) => pattern.source);
    for (const [owner, pattern] of RULES) {
      if (owner === path) continue;
      for (const [name] of code(text).matchAll(new RegExp(pattern, "gm"))) {
        if (!allowed.some((source) => new RegExp(`^(?:${source})`).test(name))) offences.push(`${path}: ${name}`);
      }
    }
  }
  assert.deepEqual(offences, []);
});

Deno.test("src/ reads whole files by Deno itself only where they are its own", () => {
  const own = [
    "src/container/record_image.ts", // the system's list of what is loaded
    "src/data/embedded/installed_package.ts", // package.json of a pinned package
    "src/engine/cuda/kernel_source.ts",
    "src/engine/exact/native/choose.ts", // the library that is committed, and the list of digests
    "src/files/own_files.ts", // experiments, scales, lockfiles
  ];
  const found = FILES.filter(({ text }) => /\bDeno\.read(Text)?File(Sync)?\b/.test(code(text))).map(({ path }) => path);
  assert.deepEqual(found.sort(), own);
});
