import { deepEqual, equal, throws } from "node:assert/strict";
import { compareIndexMapping, type OrderName, writeIndexMapping } from "../../../src/data/gpt_neox/index_cache.ts";
import { buildIndexMapping } from "../../../src/data/gpt_neox/index_mapping.ts";
import { readNpy, writeNpy } from "../../../src/formats/npy.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { withFolder } from "../../temporary_folder.ts";
import { userError } from "../user_error.ts";
import { KNOWN_ANSWERS } from "./known_answers.ts";

Deno.test("writeIndexMapping() writes the files that numpy.save writes, byte for byte, under GPT-NeoX's names", () =>
  withFolder(async (folder) => {
    for (const [i, answer] of KNOWN_ANSWERS.orders.entries()) {
      const { sizes, first, end, samples, sequenceLength, seed } = answer;
      const specification = {
        sizes: Int32Array.from(sizes),
        documents: { first, end },
        samples,
        sequenceLength,
        seed,
      };
      const name: OrderName = { prefix: `${folder}/pile${i}`, part: "train_0", samples, sequenceLength, seed };
      const mapping = buildIndexMapping(specification);
      const paths = writeIndexMapping(name, mapping);
      const stem = `${folder}/pile${i}_train_0_indexmap_${samples}ns_${sequenceLength}sl_${seed}s_`;
      deepEqual(paths, [`${stem}doc_idx.npy`, `${stem}sample_idx.npy`, `${stem}shuffle_idx.npy`]);
      for (
        const [path, expected] of [answer.doc_idx, answer.sample_idx, answer.shuffle_idx].map((e, j) =>
          [paths[j], e] as const
        )
      ) {
        const bytes = await Deno.readFile(path ?? "");
        equal(String.fromCharCode(...bytes.subarray(0, 160)), expected.start);
        equal(bytes.length, expected.bytes);
        equal(sha256(bytes), expected.sha256);
      }
      deepEqual(compareIndexMapping(name, mapping).map(({ difference }) => difference), [null, null, null]);
      const other = buildIndexMapping({ ...specification, seed: seed + 1 });
      const [documents] = compareIndexMapping(name, other);
      equal(documents?.path, paths[0]);
      equal(/^element \d+ is \d+, expected \d+$/.test(documents?.difference ?? ""), true, `${documents?.difference}`);
    }
  }));

Deno.test("compareIndexMapping() names another shape", () =>
  withFolder(async (folder) => {
    const name: OrderName = { prefix: `${folder}/a`, part: "train", samples: 4, sequenceLength: 3, seed: 5 };
    const order = (sequenceLength: number) =>
      buildIndexMapping({
        sizes: Int32Array.of(9, 9),
        documents: { first: 0, end: 2 },
        samples: 4,
        sequenceLength,
        seed: 5,
      });
    writeIndexMapping(name, order(3));
    deepEqual(compareIndexMapping(name, order(4)).map(({ difference }) => difference), [
      null,
      "shape (6, 2), expected (5, 2)",
      "shape (5), expected (4)",
    ]);
    await Promise.resolve();
  }));

Deno.test("readNpy() gives back what was written, and names what is wrong with other files", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.npy`;
    writeNpy(path, { shape: [2, 3], values: Int32Array.of(1, -2, 3, 4, 5, 2 ** 31 - 1) });
    deepEqual(readNpy(path), { shape: [2, 3], values: Int32Array.of(1, -2, 3, 4, 5, 2 ** 31 - 1) });
    writeNpy(`${folder}/b.npy`, { shape: [1], values: Uint32Array.of(2 ** 32 - 1) });
    deepEqual(readNpy(`${folder}/b.npy`), { shape: [1], values: Uint32Array.of(2 ** 32 - 1) });
    const bytes = await Deno.readFile(path);
    const changed = (from: string, to: string) => {
      const text = [...bytes].map((byte) => String.fromCharCode(byte)).join("").replace(from, to);
      return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    };
    const cases: [Uint8Array, string][] = [
      [new Uint8Array(0), "does not begin"],
      [changed("NUMPY\u0001", "NUMPY\u0002"), "does not begin"],
      [bytes.subarray(0, 100), "ends in its header"],
      [changed("<i4", "<i8"), "'<i8'"],
      [changed("<i4", ">i4"), "'>i4'"],
      [changed("False", "True "), "True"],
      [changed("(2, 3)", "(2, 4)"), "has 24 bytes of values, expected 32"],
      [bytes.subarray(0, -1), "has 23 bytes of values, expected 24"],
    ];
    for (const [damaged, part] of cases) {
      await Deno.writeFile(path, damaged);
      throws(() => readNpy(path), userError("INVALID_NPY", "a.npy", part));
    }
  }));
