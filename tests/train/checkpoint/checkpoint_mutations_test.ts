/**
 * Fuzzing of checkpoints: refused with a message, or the very bits that were written are loaded. The digests that a file
 * gives of itself are made to fit where the change is meant to reach what lies behind them. Seeds are fixed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Digest, sha256 } from "../../../src/digest/sha256.ts";
import type { TrainingState } from "../../../src/engine/engine.ts";
import { UserError } from "../../../src/errors.ts";
import type { RunKey } from "../../../src/experiment/run/run.ts";
import { parameterCount } from "../../../src/model/config.ts";
import { initializeWeights } from "../../../src/model/initial_weights.ts";
import { type ExpectedCheckpoint, loadCheckpoint, writeCheckpoint } from "../../../src/train/checkpoint/checkpoint.ts";
import { stateDigest } from "../../../src/train/checkpoint/state_digest.ts";
import { applyByteEdits, byteEdits } from "../../fuzz/byte_edits.ts";
import { applyJsonEdit, jsonEdit, placesOf } from "../../fuzz/json_edits.ts";
import { safetensorsFile } from "../../formats/safetensors/safetensors_file.ts";
import { withFolder } from "../../temporary_folder.ts";
import { SMALLEST_MODEL } from "../../model/smallest_model.ts";

const RUN = sha256("run") as RunKey;
const STEP = 123;
const POSITION = 492;

function emptyState(): TrainingState {
  const vector = () => new Float32Array(parameterCount(SMALLEST_MODEL));
  return { weights: vector(), firstMoments: vector(), secondMoments: vector() };
}

const original = emptyState();
initializeWeights(SMALLEST_MODEL, 1, original.weights);
initializeWeights(SMALLEST_MODEL, 2, original.firstMoments);
initializeWeights(SMALLEST_MODEL, 3, original.secondMoments);
const state = stateDigest(original, STEP, POSITION);
let whole = new Uint8Array(0);
await withFolder(async (folder) => {
  await writeCheckpoint(`${folder}/c`, SMALLEST_MODEL, original, {
    run: RUN,
    step: STEP,
    dataPosition: POSITION,
    state,
  });
  whole = await Deno.readFile(`${folder}/c`);
});
const headerLength = Number(new DataView(whole.buffer).getBigUint64(0, true));
const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + headerLength)));
const data = whole.slice(8 + headerLength);

function hex({ weights, firstMoments, secondMoments }: TrainingState): string {
  return [weights, firstMoments, secondMoments].map(({ buffer }) => new Uint8Array(buffer).toHex()).join();
}
const originalHex = hex(original);

/** What a reader may know of the checkpoint: with the state from the journal, or its run and step only. */
const KNOWN: readonly ExpectedCheckpoint[] = [{ run: RUN, step: STEP, state }, { run: RUN, step: STEP }];

/** Loads; undefined if the file was refused, with a message for the user. */
function load(bytes: Uint8Array<ArrayBuffer>, expected: ExpectedCheckpoint): TrainingState | undefined {
  const loaded = emptyState();
  try {
    const info = loadCheckpoint(bytes, "c.safetensors", SMALLEST_MODEL, loaded, expected);
    assert.deepEqual([info.run, info.step], [RUN, STEP]);
    assert.equal(info.state, stateDigest(loaded, info.step, info.dataPosition));
    return loaded;
  } catch (error) {
    assert(error instanceof UserError, String(error));
    assert(["BAD_CHECKPOINT", "BAD_SAFETENSORS", "UNSUPPORTED_SAFETENSORS"].includes(error.code), error.code);
    return undefined;
  }
}

const expectedCheckpoint = fc.constantFrom(...KNOWN);

const BYTES = 4500;
Deno.test(`loadCheckpoint() loads the bits that were written, or none, whatever bytes change (${BYTES} checkpoints)`, () => {
  fc.assert(
    fc.property(byteEdits, fc.boolean(), expectedCheckpoint, (edits, inHeader, expected) => {
      const changed = inHeader
        ? Uint8Array.of(...applyByteEdits(whole.subarray(0, 8 + headerLength), edits), ...data)
        : applyByteEdits(whole, edits);
      const loaded = load(changed, expected);
      if (loaded !== undefined) assert.equal(hex(loaded), originalHex);
    }),
    { numRuns: BYTES, seed: 1 },
  );
});

const HEADERS = 4200;
Deno.test(`loadCheckpoint() loads the bits that were written, or none, whatever the header says (${HEADERS} checkpoints)`, () => {
  const places = placesOf(header);
  const names = places.filter(([name]) => name === "__metadata__");
  fc.assert(
    fc.property(jsonEdit, fc.boolean(), expectedCheckpoint, (edit, inMetadata, expected) => {
      const changed = applyJsonEdit(header, inMetadata ? names : places, edit);
      const loaded = load(safetensorsFile(changed.text, data), expected);
      if (loaded === undefined) return;
      assert(!changed.refused, changed.text);
      assert.equal(hex(loaded), originalHex);
    }),
    { numRuns: HEADERS, seed: 2 },
  );
});

const tensorNames = Object.keys(header).filter((name) => name !== "__metadata__");

/** A change that leaves a whole file of another meaning: tensors exchanged, retyped, reshaped, laid over each other. */
const tensorEdit = fc.record({
  kind: fc.constantFrom("exchange", "rename", "dtype", "shape", "overlap", "order", "shift", "append", "values"),
  a: fc.constantFrom(...tensorNames),
  b: fc.constantFrom(...tensorNames),
  dtype: fc.constantFrom("F64", "F16", "BF16", "I32", "U16", "U8"),
  shape: fc.constantFrom([], [0], [1, 8], [8, 1], [2 ** 32, 2 ** 32], [2 ** 53 - 1], [-8], [8, 8, 1]),
  by: fc.constantFrom(-8, -4, -1, 1, 4, 8, 2 ** 32, 2 ** 53),
  value: fc.constantFrom(0, -0, NaN, Infinity, 1e-45, 1),
  at: fc.nat(data.length / 4 - 1),
});

const TENSORS = 1000;
Deno.test(`loadCheckpoint() loads no state but that of the journal, though a file's own digest fits what it holds (${TENSORS} checkpoints)`, () => {
  let own = 0;
  fc.assert(
    fc.property(tensorEdit, fc.boolean(), ({ kind, a, b, dtype, shape, by, value, at }, fits) => {
      const edited = structuredClone(header);
      const bytes = data.slice();
      const [first, second] = [edited[a], edited[b]];
      switch (kind) {
        case "exchange":
          [first.data_offsets, second.data_offsets] = [second.data_offsets, first.data_offsets];
          break;
        case "rename":
          delete edited[a];
          edited[`${a}.bias`] = first;
          break;
        case "dtype":
          first.dtype = dtype;
          break;
        case "shape":
          first.shape = shape;
          break;
        case "overlap":
          first.data_offsets = second.data_offsets;
          break;
        case "order":
          delete edited[a];
          edited[a] = first;
          break;
        case "shift":
          first.data_offsets = first.data_offsets.map((offset: number) => offset + by);
          break;
        case "append":
          edited.more = { dtype: "U8", shape: [0], data_offsets: [data.length, data.length] };
          break;
        case "values":
          new DataView(bytes.buffer).setFloat32(4 * at, value, true);
      }
      if (fits) edited.__metadata__.state = digestOf(edited, bytes) ?? state;
      const file = safetensorsFile(JSON.stringify(edited), bytes);
      const known = load(file, { run: RUN, step: STEP, state });
      if (known !== undefined) assert.equal(hex(known), originalHex);
      // A reader that has no digest from elsewhere can only believe the file's own.
      const believed = load(file, { run: RUN, step: STEP });
      if (believed !== undefined && hex(believed) !== originalHex) own++;
      if (!fits && believed !== undefined) assert.equal(hex(believed), originalHex);
    }),
    { numRuns: TENSORS, seed: 3 },
  );
  assert(own > TENSORS / 50, `only ${own} forged digests fit`);
});

/** The state that a reader would find in a file, as a forger computes it; undefined if it is not whole. */
// deno-lint-ignore no-explicit-any -- a forger is bound by no type
function digestOf(edited: any, bytes: Uint8Array): Digest | undefined {
  const held = emptyState();
  let place = 0;
  const vectors = [held.weights, held.firstMoments, held.secondMoments];
  for (const [index, prefix] of ["", "optimizer.exp_avg.", "optimizer.exp_avg_sq."].entries()) {
    place = 0;
    for (const name of tensorNames.filter((name) => !name.startsWith("optimizer."))) {
      const [begin, end] = edited[prefix + name]?.data_offsets ?? [];
      const original = header[prefix + name].data_offsets;
      if (!(begin >= 0 && end <= bytes.length && end - begin === original[1] - original[0])) return undefined;
      const values = new Float32Array(bytes.slice(begin, end).buffer);
      vectors[index]?.set(values, place);
      place += values.length;
    }
  }
  return stateDigest(held, STEP, POSITION);
}

const METADATA = 400;
Deno.test(`loadCheckpoint() takes no other run, step or position for the expected one (${METADATA} checkpoints)`, () => {
  const texts = fc.constantFrom(
    "0",
    "122",
    "0123",
    " 123",
    "123.0",
    "1e2",
    "-123",
    "9".repeat(16),
    "NaN",
    "",
    RUN,
    state,
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("format", "run", "step", "dataPosition", "state", "note"), texts, { minKeys: 1 }),
      expectedCheckpoint,
      (fields, expected) => {
        const edited = { ...header, __metadata__: { ...header.__metadata__, ...fields } };
        const loaded = load(safetensorsFile(JSON.stringify(edited), data), expected);
        if (loaded === undefined) return;
        assert.equal(hex(loaded), originalHex);
        const { format, run, step, dataPosition } = edited.__metadata__;
        assert.deepEqual([format, run, Number(step), Number(dataPosition)], [
          "rewarm checkpoint v1",
          RUN,
          STEP,
          POSITION,
        ]);
      },
    ),
    { numRuns: METADATA, seed: 4 },
  );
});
