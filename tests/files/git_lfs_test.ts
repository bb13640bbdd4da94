/** What Git leaves in place of a file, wherever a file of the user is read. */
import assert from "node:assert/strict";
import { describeCorpora } from "../../src/data/corpora.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { readNpy } from "../../src/formats/npy.ts";
import { TokenRows } from "../../src/data/rows/token_rows.ts";
import { MAX_POINTER_BYTES, refusePointer } from "../../src/files/git_lfs.ts";
import { openRegular, openRegularSync } from "../../src/files/open_regular.ts";
import { readSigningKey, readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { parameterCount } from "../../src/model/config.ts";
import { openHuggingFaceFolder } from "../../src/model/hugging_face_folder.ts";
import { openWeights } from "../../src/train/checkpoint/open_weights.ts";
import { jsonLines } from "../data/fixtures.ts";
import { writeSet } from "../data/gpt_neox/megatron_sets.ts";
import { userError } from "../data/user_error.ts";
import { exactWeights, modelTensors, SMALL_MODEL, writeFolder, writeShards } from "../model/hugging_face_files.ts";
import { withFolder } from "../temporary_folder.ts";

const OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize 12345\n`;
const ANNEXED = "/annex/objects/SHA256E-s12345--4d7a214614ab2935.jsonl\n";

const refuse = (text: string) => refusePointer(new TextEncoder().encode(text), "a.bin");

for (
  const [what, text] of [
    ["as Git LFS writes it", POINTER],
    ["with Windows' line ends", POINTER.replaceAll("\n", "\r\n")],
    ["without a last line end", POINTER.trimEnd()],
    ["of an earlier address", POINTER.replace("git-lfs.github.com", "hawser.github.com")],
    ["of the first address", POINTER.replace("https://git-lfs.github.com/spec/v1", "http://git-media.io/v/2")],
    ["with an extension", POINTER.replace("oid", `ext-0-case sha256:${OID}\noid`)],
  ] as const
) {
  Deno.test(`refusePointer() knows a pointer of Git LFS ${what}`, () => {
    assert.throws(
      () => refuse(text),
      userError("GIT_LFS_POINTER", '"a.bin" is a Git LFS pointer, not the file: run "git lfs pull"', "12345 bytes"),
    );
  });
}

Deno.test("refusePointer() knows a pointer of git-annex", () => {
  for (const text of [ANNEXED, "../../.git/annex/objects/Fk/0M/SHA256E-s1--ab/SHA256E-s1--ab"]) {
    assert.throws(() => refuse(text), userError("GIT_ANNEX_POINTER", '"a.bin"', '"git annex get"'));
  }
});

for (
  const [what, text] of [
    ["nothing", ""],
    ["the address alone", "version https://git-lfs.github.com/spec/v1\n"],
    ["a text about pointers", `A pointer begins like this:\n${POINTER}`],
    ["a longer file that begins as one", POINTER + "x".repeat(MAX_POINTER_BYTES)],
    ["a text about git-annex", "/annex/objects/ is where the contents lie.\n"],
  ] as const
) {
  Deno.test(`refusePointer() takes ${what} for itself`, () => refuse(text));
}

Deno.test("openRegular() gives a short file from its start", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/short`, "short");
    for (const file of [await openRegular(`${folder}/short`, "read"), openRegularSync(`${folder}/short`, "read")]) {
      assert.equal(await new Response(file.readable).text(), "short");
    }
  }));

Deno.test("openRegular() names what a link to nothing leads to", () =>
  withFolder(async (folder) => {
    const targets = [["../.git/annex/objects/ab/cd/SHA256E-s1--ab", "git annex get"], ["../blobs/ab", "fetch again"]];
    for (const [target = "", remedy = ""] of targets) {
      const path = `${folder}/${remedy}`;
      await Deno.symlink(target, path);
      const expected = userError("FILE_NOT_FOUND", `is a link to "${target}", and there is no such file`, remedy);
      await assert.rejects(openRegular(path, "read"), expected);
      assert.throws(() => openRegularSync(path, "read"), expected);
    }
  }));

/** Writes a pointer in place of a file, and expects that reading says so. */
async function refuses(folder: string, name: string, read: (path: string) => unknown): Promise<void> {
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(path, POINTER);
  await assert.rejects(async () => await read(path), userError("GIT_LFS_POINTER", name), name);
}

Deno.test("no text and no tokens are read from a pointer, whatever the ending says", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/good.jsonl`, jsonLines(60));
    const corpora = (upstream: string, more: { tokenizer?: string } = {}) =>
      describeCorpora({
        source: { kind: "files", upstream: [upstream], downstream: [`${folder}/good.jsonl`], ...more },
        sequenceLength: 16,
      });
    for (const name of ["a.txt", "a.jsonl", "a.jsonl.zst", "a.parquet", "a.val.txt"]) {
      await refuses(folder, name, corpora);
    }
    for (const ending of ["bin", "idx"]) {
      const set = writeSet(`${folder}/set-${ending}`, [[1, 2, 0], [3, 0]]);
      await refuses(folder, `set-${ending}.${ending}`, () => corpora(set));
    }
    await refuses(folder, "tokenizer.json", (tokenizer) => corpora(`${folder}/good.jsonl`, { tokenizer }));
    await refuses(folder, "data.lock.yaml", readDataLock);
    await refuses(folder, "order.npy", readNpy);
    await refuses(folder, "rows.bin", (path) => new TokenRows([{ path, bytes: 1000 }], 17));
  }));

Deno.test("no weights are read from a pointer, in any form", () =>
  withFolder(async (folder) => {
    const tensors = modelTensors(SMALL_MODEL, exactWeights(parameterCount(SMALL_MODEL)), "F32");
    const inFolder = async (name: string, lay: (path: string) => Promise<unknown>, ...files: string[]) => {
      for (const file of files) {
        const path = `${folder}/${name}-${file}`;
        await lay(path);
        await refuses(path, file, () => openHuggingFaceFolder(path));
      }
    };
    await inFolder("whole", (path) => writeFolder(path, tensors), "config.json", "model.safetensors");
    await inFolder("sharded", (path) => writeShards(path, tensors), "model.safetensors.index.json");
    const torch = async (path: string) => {
      await writeFolder(path, tensors);
      await Deno.remove(`${path}/model.safetensors`);
    };
    await inFolder("torch", torch, "pytorch_model.bin");
    await refuses(folder, "step-000001.safetensors", openWeights);
  }));

Deno.test("no key is read from a pointer, and no manifest or bundle is checked that is one", () =>
  withFolder(async (folder) => {
    await refuses(folder, "key.pem", readSigningKey);
    await refuses(folder, "key.pub.pem", readVerifyingKey);
    for (const name of ["manifest.dsse.json", "bundle.tar"]) {
      await Deno.writeTextFile(`${folder}/${name}`, POINTER);
      const { verdict, steps } = await verifyManifestFile(`${folder}/${name}`);
      assert.equal(verdict, "could not check");
      assert.match(steps[0]?.detail ?? "", /is a Git LFS pointer, not the file: run "git lfs pull"/);
    }
  }));
