/** The kernels' source as one text, and what is read from it. */
import assert from "node:assert/strict";
import { sha256 } from "../../../src/digest/sha256.ts";
import { kernelDeclarations, withoutComments } from "../../../src/engine/cuda/kernel_declarations.ts";
import { readKernelUnit } from "../../../src/engine/cuda/kernel_source.ts";
import { withFolder } from "../../temporary_folder.ts";

/** Reads the unit "u" of files given by their paths. */
async function unitOf(files: Record<string, string>, definitions: Record<string, number> = {}) {
  let unit: Awaited<ReturnType<typeof readKernelUnit>> | undefined;
  await withFolder(async (folder) => {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    unit = await readKernelUnit({ name: "u", definitions }, new URL(`file://${folder}/`));
  });
  assert(unit !== undefined);
  return unit;
}

/** The lines that a compiler would take from a text, each with the file and line that it is told. */
function numbered(text: string): string[] {
  let [file, line] = ["", 0];
  const lines: string[] = [];
  for (const content of text.split("\n")) {
    const directive = /^#line (\d+) "(.*)"$/.exec(content);
    if (directive !== null) [file, line] = [directive[2] ?? "", Number(directive[1])];
    else {
      if (content !== "") lines.push(`${file}:${line} ${content}`);
      line++;
    }
  }
  return lines;
}

const kernel = (name: string, parameters = "float* y") => `extern "C" __global__ void ${name}(${parameters}) {}`;

Deno.test("readKernelUnit() puts each included file in place once, with its own line numbers", async () => {
  const { text, files } = await unitOf({
    "u/a.cu": `#include "shared.cuh"\n#include "../top.cuh"\n${kernel("first")}\n`,
    "u/b.cu": `// b\n#include "top.cuh"\n\n${kernel("second")}\n`,
    "u/shared.cuh": `#pragma once\n#include "top.cuh"\nint shared;\n`,
    "top.cuh": "int top;\n",
    "u/ignored.txt": kernel("ignored"),
  });
  assert.deepEqual(numbered(text), [
    "top.cuh:1 int top;",
    "u/shared.cuh:3 int shared;",
    `u/a.cu:3 ${kernel("first")}`,
    "u/b.cu:1 // b",
    `u/b.cu:4 ${kernel("second")}`,
  ]);
  assert.deepEqual(files.map(({ path, kernels }) => [path, kernels.map(({ name }) => name)]), [
    ["u/a.cu", ["first"]],
    ["u/b.cu", ["second"]],
  ]);
  assert.deepEqual(numbered(files[1]?.text ?? ""), [
    "u/b.cu:1 // b",
    "top.cuh:1 int top;",
    `u/b.cu:4 ${kernel("second")}`,
  ]);
});

Deno.test("readKernelUnit() reads the same text from a checkout with Windows' line ends", async () => {
  const files = { "u/a.cu": `#include "b.cuh"\n// first\n${kernel("first")}\n`, "u/b.cuh": "#define B 1\n" };
  const windows = Object.entries(files).map(([path, text]) => [path, text.replaceAll("\n", "\r\n")]);
  const [plain, changed] = [await unitOf(files), await unitOf(Object.fromEntries(windows))];
  assert.equal(changed.text, plain.text);
  assert.equal(changed.digest, plain.digest);
});

Deno.test("readKernelUnit() gives the digest of the text, which every definition is part of", async () => {
  const files = { "u/a.cu": kernel("k") };
  const [plain, small, large] = [
    await unitOf(files),
    await unitOf(files, { B: 2, A: 1 }),
    await unitOf(files, { A: 1, B: 3 }),
  ];
  assert.equal(plain.digest, sha256(plain.text));
  assert.equal(new Set([plain.digest, small.digest, large.digest]).size, 3);
  assert.deepEqual(numbered(small.text).slice(0, 2), [":0 #define A 1", ":1 #define B 2"]);
  assert.equal((await unitOf(files, { A: 1, B: 2 })).digest, small.digest);
});

for (
  const [what, files, message] of [
    ["a file is missing", { "u/a.cu": '#include "none.cuh"' }, /"u\/a\.cu" includes "none\.cuh", which is not below/],
    ["a path leads outside", { "u/a.cu": '#include "../../x.cuh"' }, /not below/],
    ["a path is absolute", { "u/a.cu": '#include "/etc/hosts"' }, /no relative path/],
    [
      "a header is the system's",
      { "u/a.cu": "int x;\n#include <cuda_bf16.h>" },
      /"u\/a\.cu" line 2 has "#include <cuda_bf16\.h>"/,
    ],
    [
      "a kernel stands in a header",
      { "u/a.cu": '#include "b.cuh"', "u/b.cuh": kernel("k") },
      /kernels belong into \.cu files/,
    ],
    [
      "two kernels have one name",
      { "u/a.cu": kernel("k"), "u/b.cu": kernel("k") },
      /"u\/b\.cu" declares kernel "k" a second time/,
    ],
  ] as const
) {
  Deno.test(`readKernelUnit() names file and line when ${what}`, async () => {
    await assert.rejects(() => unitOf(files), message);
  });
}

Deno.test("readKernelUnit() refuses a definition when it is no integer or its name is no macro's", async () => {
  const files = { "u/a.cu": kernel("k") };
  await assert.rejects(() => unitOf(files, { A: 1.5 }), /"A" as 1\.5/);
  await assert.rejects(() => unitOf(files, { "A 1\n#define B": 1 }), /cannot have the definition/);
});

Deno.test("readKernelUnit() leaves an include alone when it is in a comment", async () => {
  const { text } = await unitOf({ "u/a.cu": '/*\n#include "none.cuh"\n*/\n// #include "none.cuh"\n' });
  assert.match(text, /#include "none\.cuh"/);
});

Deno.test("withoutComments() keeps strings, and the place of everything else", () => {
  assert.equal(withoutComments('a /* b\n"c" */ "// d" // e\n\'"\' f'), `a     \n       "// d"     \n'"' f`);
});

Deno.test("kernelDeclarations() gives name, parameters, signature and bounds when a kernel has them in any form", () => {
  const source = `
    extern "C" __global__ void none() {}
    extern "C" __global__ void __launch_bounds__(256, 2) all(
        const float* __restrict__ x,  // comment, with comma
        unsigned short *const y, unsigned n, unsigned int m, const int i, float f,
        unsigned long long big) {
    }
    extern "C" __global__ __launch_bounds__(32 * WARPS) void bounds(uint4*p){}
  `;
  const [none, all, bounds] = kernelDeclarations(source, "test");
  assert.deepEqual(none, { name: "none", parameters: [], signature: "", launchBounds: undefined });
  assert.equal(all?.signature, "ppuuifl");
  assert.equal(all?.launchBounds, "256");
  assert.deepEqual(all?.parameters.map(({ name, type }) => `${type} ${name}`), [
    "float* x",
    "unsigned short* y",
    "unsigned n",
    "unsigned int m",
    "int i",
    "float f",
    "unsigned long long big",
  ]);
  assert.deepEqual([bounds?.name, bounds?.signature, bounds?.launchBounds], ["bounds", "p", "32 * WARPS"]);
});

for (
  const [what, source] of [
    ["it is no C function", "__global__ void k(float* y) {}"],
    ["it is a template's", "template <int N> __global__ void k(float* y) {}"],
    ["it is made by a macro", '#define K(n) extern "C" __global__ void k##n(float* y) {}'],
    ["it is made by a macro of two lines", '#define K(n) \\\n extern "C" __global__ void k##n(float* y) {}'],
    ["it returns a value", 'extern "C" __global__ int k(float* y) {}'],
    ["it is only declared", 'extern "C" __global__ void k(float* y);'],
    ["a parameter is a struct", kernel("k", "Shape shape")],
    ["a parameter is a double", kernel("k", "double x")],
    ["a parameter is a reference", kernel("k", "float& x")],
    ["a parameter is an array", kernel("k", "float x[4]")],
    ["a parameter points to a pointer", kernel("k", "float** x")],
    ["a parameter points to a struct", kernel("k", "Shape* x")],
    ["a parameter has no name", kernel("k", "float*")],
    ["a parameter is missing", kernel("k", "float* x,")],
    ["a parameter has a default", kernel("k", "int x = 1")],
    ["a parameter is a signed 64-bit number", kernel("k", "long long x")],
  ] as const
) {
  Deno.test(`kernelDeclarations() refuses a kernel when ${what}`, () => {
    assert.throws(
      () => kernelDeclarations(`int x;\n${source}`, "test.cu"),
      /"test\.cu" line [23]|Kernel "k" has the parameter/,
    );
  });
}

for (const unit of ["ordered", "mixed"]) {
  Deno.test(`readKernelUnit() reads the project's kernels when they are ${unit}`, async () => {
    const { kernels, text } = await readKernelUnit(unit);
    assert(kernels.size > 10);
    assert.doesNotMatch(withoutComments(text), /#\s*include/);
  });
}
