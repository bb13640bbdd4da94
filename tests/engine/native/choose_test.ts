/** What keeps native kernels from being used: each is named, and none of them leads to other bits. */
import assert from "node:assert/strict";
import { chooseNativeKernels, type NativeOptions } from "../../../src/engine/exact/native/choose.ts";
import { LIBRARY_FOLDER, libraryName } from "../../../src/engine/exact/native/platform.ts";
import { withFolder } from "../../temporary_folder.ts";
import { AVAILABLE, LIBRARY } from "./available.ts";

const NAME = libraryName(Deno.build) ?? "";
const ignore = AVAILABLE.length === 0;

async function reasonOf(options: NativeOptions): Promise<string> {
  const choice = await chooseNativeKernels(options);
  return choice.kind === "unavailable" ? choice.reason : `available: ${choice.title}`;
}

/** A folder like the real one, with this platform's library as `change` leaves it. */
async function withLibrary(
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array | undefined,
  use: (folder: URL) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const bytes = change(await Deno.readFile(LIBRARY ?? ""));
    if (bytes !== undefined) await Deno.writeFile(`${folder}/${NAME}`, bytes);
    await use(new URL(`file://${folder}/`));
  });
}

Deno.test("chooseNativeKernels() takes the widest set that the processor has", { ignore }, async () => {
  const choice = await chooseNativeKernels();
  assert(choice.kind === "available");
  assert.equal(choice.title, AVAILABLE[0]?.title);
  assert.match(choice.digest, /^[0-9a-f]{64}$/);
});

Deno.test("chooseNativeKernels() refuses a library with one bit changed, before it is loaded", { ignore }, async () => {
  await withLibrary((bytes) => {
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    return bytes;
  }, async (folder) => assert.match(await reasonOf({ folder }), /was changed on the way/));
  await withLibrary(() => new TextEncoder().encode("not a library"), async (folder) => {
    assert.match(await reasonOf({ folder }), /was changed on the way/);
  });
});

Deno.test("chooseNativeKernels() names a library that is missing", { ignore }, async () => {
  await withLibrary(() => undefined, async (folder) => assert.match(await reasonOf({ folder }), /cannot be read/));
});

Deno.test("chooseNativeKernels() passes on why the system does not load a library", { ignore }, async () => {
  const platform = Deno.build.os === "windows"
    ? { os: "linux", arch: "x86_64" } as const
    : { os: "windows", arch: "x86_64" } as const;
  assert.match(await reasonOf({ platform }), /the system does not load the library \(.+\)/);
});

Deno.test("chooseNativeKernels() names a platform without a library, and a set that the processor lacks", {
  ignore,
}, async () => {
  assert.equal(
    await reasonOf({ platform: { os: "freebsd", arch: "x86_64" } }),
    "no library was built for freebsd on x86_64",
  );
  const other = Deno.build.arch === "x86_64" ? "neon" : "avx2";
  assert.match(await reasonOf({ set: other }), new RegExp(`offers no ${other}`));
});

Deno.test("chooseNativeKernels() names a project that is not on the disk", { ignore }, async () => {
  assert.match(await reasonOf({ folder: new URL("https://example.org/libraries/") }), /not on this machine's disk/);
});

Deno.test({
  name: "chooseNativeKernels() passes on that a file system permits no execution",
  ignore: ignore || Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      const mount = (...args: string[]) => new Deno.Command("mount", { args, stderr: "null" }).output();
      if (!(await mount("-t", "tmpfs", "-o", "noexec", "tmpfs", folder)).success) {
        console.log("skipped: this process may not mount a file system");
        return;
      }
      try {
        await Deno.copyFile(LIBRARY ?? "", `${folder}/${NAME}`);
        assert.match(await reasonOf({ folder: new URL(`file://${folder}/`) }), /does not load the library/);
      } finally {
        await new Deno.Command("umount", { args: ["-l", folder] }).output();
      }
    }),
});

Deno.test({
  name: "--allow-ffi for the libraries' folder is enough, for threads as well, and without it WebAssembly runs",
  ignore,
  fn: async () => {
    const script = `
      import { sha256 } from "${new URL("../../../src/digest/sha256.ts", import.meta.url)}";
      import { createExactEngine } from "${new URL("../../../src/engine/exact/engine.ts", import.meta.url)}";
      import { randomTokens, randomWeights, smallTraining } from "${new URL("../fixture.ts", import.meta.url)}";
      const engine = await createExactEngine({ threads: 2, sha256, kernels: "auto" });
      const training = smallTraining();
      const session = await engine.open(training);
      await session.writeState(({ weights }) => weights.set(randomWeights(training.model)));
      const { loss } = await session.step(randomTokens(training.model, 2), 0, 0);
      session.close();
      console.log(engine.description["instruction set"] + "|" + engine.description["instruction set chosen"] + "|" + loss);
    `;
    await withFolder(async (folder) => {
      const file = new URL(`../../../.cache/native_test_${crypto.randomUUID()}.ts`, import.meta.url);
      await Deno.mkdir(new URL("./", file), { recursive: true });
      await Deno.writeTextFile(file, script);
      const run = async (...permissions: string[]) => {
        const args = ["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env=CI", ...permissions, file.pathname];
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).output();
        const text = new TextDecoder().decode(stdout).trim();
        assert.notEqual(text, "", new TextDecoder().decode(stderr));
        return text.split("|");
      };
      try {
        const [native, why, nativeLoss] = await run(`--allow-ffi=${LIBRARY_FOLDER.pathname}`);
        assert.deepEqual([native, why], [AVAILABLE[0]?.title, "the widest that the processor has"]);
        const [portable, whyNot, portableLoss] = await run();
        assert.equal(portable, "WebAssembly SIMD");
        assert.match(whyNot ?? "", /^no native kernels: Deno was started without --allow-ffi/);
        assert.equal(nativeLoss, portableLoss);
      } finally {
        await Deno.remove(file);
      }
    });
  },
});
