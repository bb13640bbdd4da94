import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Digest, sha256 } from "../../../src/digest/sha256.ts";
import type { RunKey } from "../../../src/experiment/run/run.ts";
import { JournalWriter, readJournalFile } from "../../../src/train/journal/journal.ts";
import { readJournal } from "../../../src/train/journal/journal_reader.ts";
import { DueRecords } from "../../../src/train/journal/due_records.ts";
import { chainStart, formatHeader, type WrittenHeader } from "../../../src/train/journal/journal_header.ts";
import { evaluationRecord } from "../../../src/train/journal/journal_curves.ts";
import {
  chainNext,
  formatRecord,
  fromBits,
  fromBits64,
  MAX_LINE_BYTES,
  type StepRecord,
  toBits,
  toBits64,
} from "../../../src/train/journal/journal_record.ts";
import { withFolder } from "../../temporary_folder.ts";
import { faultyFiles } from "../../files/faulty_files.ts";

const RUN = sha256("a run") as RunKey;
const OTHER_RUN = sha256("another run") as RunKey;
const HEADER: WrittenHeader = { version: 2, run: RUN, bytesPerToken: { upstream: 1, downstream: 4.25 } };
const batchOf = (step: number): Digest => sha256(`batch ${step}`);
const stateOf = (step: number): Digest => sha256(`state ${step}`);

function stepRecord(step: number, learningRate: number, loss: number, gradientNorm: number): StepRecord {
  const [lr, lossBits, normBits] = [toBits(learningRate), toBits(loss), toBits(gradientNorm)];
  return { kind: "step", step, lr, loss: lossBits, gradientNorm: normBits, batch: batchOf(step) };
}

function appendStep(journal: JournalWriter, step: number, loss = 5 - step / 8): void {
  journal.append(stepRecord(step, step / 1000, loss, 1.5));
}

function appendEvaluation(journal: JournalWriter, step: number, upstream = 4 - step / 8): void {
  journal.append(evaluationRecord({ step, tokens: 64 * step, learningRate: step / 1000, upstream, downstream: 3 }));
}

/** Steps 0 to 9, a state and an evaluation every 5 steps. */
async function writeTen(path: string): Promise<Digest> {
  const journal = await JournalWriter.create(path, HEADER);
  for (let step = 0; step < 10; step++) {
    appendStep(journal, step);
    if ((step + 1) % 5 !== 0) continue;
    journal.append({ kind: "state", step: step + 1, state: stateOf(step + 1) });
    appendEvaluation(journal, step + 1);
  }
  await journal.sync();
  journal.close();
  return journal.chain;
}

async function* stream(bytes: Uint8Array, chunk = 7): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunk) yield bytes.slice(start, start + chunk);
}
const read = (text: string, run = RUN) => readJournal(stream(new TextEncoder().encode(text)), run);

Deno.test("toBits() and fromBits() know IEEE f32", () => {
  assert.equal(toBits(1), "3f800000");
  assert.equal(toBits(-0), "80000000");
  assert.equal(toBits(0.1), "3dcccccd");
  assert.equal(toBits(NaN), "7fc00000");
  assert.equal(toBits(Infinity), "7f800000");
  assert.equal(fromBits("3dcccccd"), Math.fround(0.1));
});

Deno.test("JournalWriter writes the bytes and the chain that docs/manifest.md states", () =>
  withFolder(async (folder) => {
    const path = `${folder}/journal.jsonl`;
    const journal = await JournalWriter.create(path, HEADER);
    journal.append(stepRecord(0, 0.5, 1, 2));
    journal.append({ kind: "state", step: 1, state: stateOf(1) });
    journal.append(evaluationRecord({ step: 1, tokens: 64, learningRate: 0.25, upstream: 1, downstream: 1.5 }));
    journal.append({
      kind: "divergence",
      step: 1,
      divergence: "gradientNorm",
      value: toBits(-Infinity),
      batch: batchOf(1),
    });
    await journal.sync();
    journal.close();

    // The layout written out by hand, with another SHA-256.
    const hash = (...parts: (string | Uint8Array)[]) => {
      const hasher = createHash("sha256");
      for (const part of parts) hasher.update(part);
      return hasher.digest("hex");
    };
    const hex = (text: string) => Uint8Array.fromHex(text);
    const header =
      `{"format":"rewarm journal v2","run":"${RUN}","bytesPerToken":{"upstream":"3ff0000000000000","downstream":"4011000000000000"}}`;
    const start = hash(`rewarm journal start v2\n${header}`);
    const first = hash(
      "rewarm journal v1\n",
      hex(start),
      hex("0000000000000000"),
      hex("0000003f"),
      hex("0000803f"),
      hex("00000040"),
      hex(batchOf(0)),
    );
    const second = hash("rewarm journal state v1\n", hex(first), hex("0100000000000000"), hex(stateOf(1)));
    const third = hash(
      "rewarm journal evaluation v2\n",
      hex(second),
      hex("0100000000000000"),
      hex("4000000000000000"),
      hex("0000803e"),
      hex("000000000000f03f"),
      hex("000000000000f83f"),
    );
    const fourth = hash(
      "rewarm journal divergence v1\n",
      hex(third),
      hex("0100000000000000"),
      hex("01"),
      hex("000080ff"),
      hex(batchOf(1)),
    );
    assert.equal(chainStart(HEADER), start);
    assert.equal(journal.chain, fourth);
    assert.equal(
      Deno.readTextFileSync(path),
      [
        header,
        `{"step":0,"lr":"3f000000","loss":"3f800000","gradientNorm":"40000000","batch":"${
          batchOf(0)
        }","chain":"${first}"}`,
        `{"step":1,"state":"${stateOf(1)}","chain":"${second}"}`,
        `{"step":1,"tokens":64,"lr":"3e800000","upstream":"3ff0000000000000","downstream":"3ff8000000000000","chain":"${third}"}`,
        `{"step":1,"divergence":"gradientNorm","value":"ff800000","batch":"${batchOf(1)}","chain":"${fourth}"}`,
        "",
      ].join("\n"),
    );
    const reading = await readJournalFile(path, RUN);
    assert.equal(reading.problem, undefined);
    assert.equal(reading.steps, 1);
    assert.equal(reading.chain, fourth);
    assert.deepEqual(reading.header, HEADER);
    assert.deepEqual(reading.evaluations, [{
      kind: "evaluation",
      step: 1,
      tokens: 64,
      lr: "3e800000",
      upstream: "3ff0000000000000",
      downstream: "3ff8000000000000",
    }]);
    assert.equal(reading.divergence?.divergence, "gradientNorm");
    assert.deepEqual(reading.states.map(({ step, state }) => ({ step, state })), [{ step: 1, state: stateOf(1) }]);
  }));

Deno.test("JournalWriter refuses steps out of order, values that are not finite, and records after a divergence", () =>
  withFolder(async (folder) => {
    const journal = await JournalWriter.create(`${folder}/j`, HEADER);
    assert.throws(() => appendStep(journal, 1), /Step 0 is due/);
    assert.throws(() => appendStep(journal, 0, NaN), /not finite/);
    assert.throws(() => journal.append({ kind: "state", step: 1, state: stateOf(1) }), /Step 0 is due/);
    assert.throws(
      () => journal.append({ kind: "divergence", step: 0, divergence: "loss", value: toBits(1), batch: batchOf(0) }),
      /has not diverged/,
    );
    appendStep(journal, 0);
    journal.append({ kind: "state", step: 1, state: stateOf(1) });
    journal.append({ kind: "state", step: 1, state: stateOf(1) });
    assert.throws(() => journal.append({ kind: "state", step: 1, state: stateOf(2) }), /two states/);
    assert.throws(() => appendEvaluation(journal, 1, NaN), /not finite/);
    appendEvaluation(journal, 1);
    appendEvaluation(journal, 1);
    assert.throws(() => appendEvaluation(journal, 1, 7), /two evaluations/);
    journal.append({ kind: "divergence", step: 1, divergence: "loss", value: toBits(NaN), batch: batchOf(1) });
    assert.throws(() => appendStep(journal, 1), /ended with a divergence/);
    journal.close();
  }));

Deno.test("JournalWriter.resume() ends with the bytes of an uninterrupted run, from any step and any torn end", () =>
  withFolder(async (folder) => {
    const path = `${folder}/j`;
    const chain = await writeTen(path);
    const whole = Deno.readFileSync(path);
    for (const cut of [whole.length, whole.length - 1, whole.length - 100, whole.length - 333]) {
      for (let step = 0; step <= 10; step++) {
        Deno.writeFileSync(path, whole.subarray(0, cut));
        const before = await readJournalFile(path, RUN);
        if (before.steps < step) {
          await assert.rejects(JournalWriter.resume(path, HEADER, step), { code: "JOURNAL_TOO_SHORT" });
          assert.equal(Deno.statSync(path).size, cut, "nothing is changed by a refusal");
          continue;
        }
        const { writer, resumption } = await JournalWriter.resume(path, HEADER, step);
        assert.equal(writer.steps, step);
        assert.equal(resumption.problem !== undefined, cut !== whole.length);
        if (cut === whole.length && step === 5) assert.equal(resumption.state, stateOf(5));
        if (cut === whole.length) {
          const evaluated = [5, 10].filter((due) => due <= step);
          assert.deepEqual(resumption.evaluations.map((evaluation) => evaluation.step), evaluated);
        }
        for (let next = step; next <= 10; next++) {
          if (next % 5 === 0 && next > 0) {
            writer.append({ kind: "state", step: next, state: stateOf(next) });
            appendEvaluation(writer, next);
          }
          if (next < 10) appendStep(writer, next);
        }
        await writer.sync();
        writer.close();
        assert.equal(writer.chain, chain);
        assert.deepEqual(Deno.readFileSync(path), whole);
      }
    }
  }));

Deno.test("JournalWriter.resume() says what it cut, and that a line was torn", () =>
  withFolder(async (folder) => {
    const path = `${folder}/j`;
    await writeTen(path);
    Deno.truncateSync(path, Deno.statSync(path).size - 10);
    const { writer, resumption } = await JournalWriter.resume(path, HEADER, 9);
    writer.close();
    assert.match(resumption.problem ?? "", /^line 15: it is torn: the file ends after \d+ bytes of it$/);
    assert.ok(resumption.cutBytes > 200);
  }));

Deno.test("JournalWriter.resume() refuses the journal of another run, and one that is not there", () =>
  withFolder(async (folder) => {
    const path = `${folder}/j`;
    await writeTen(path);
    await assert.rejects(JournalWriter.resume(path, { ...HEADER, run: OTHER_RUN }, 0), {
      message: /line 1: the header is not that/,
    });
    await assert.rejects(JournalWriter.resume(`${folder}/none`, HEADER, 0), { code: "JOURNAL_TOO_SHORT" });
  }));

Deno.test("JournalWriter refuses a state after the evaluation of its step", () =>
  withFolder(async (folder) => {
    const journal = await JournalWriter.create(`${folder}/j`, HEADER);
    appendEvaluation(journal, 0);
    assert.throws(() => journal.append({ kind: "state", step: 0, state: stateOf(0) }), /comes before its evaluation/);
    journal.close();
  }));

Deno.test("JournalWriter.resume() refuses a journal of version 1, and one of other validation text", () =>
  withFolder(async (folder) => {
    const path = `${folder}/j`;
    await writeTen(path);
    const text = Deno.readTextFileSync(path);
    for (
      const [header, code] of [
        [formatHeader({ version: 1, run: RUN }), "JOURNAL_OF_EARLIER_VERSION"],
        [formatHeader({ ...HEADER, bytesPerToken: { upstream: 1, downstream: 4 } }), "OTHER_JOURNAL"],
      ] as const
    ) {
      const other: string = text.replace(formatHeader(HEADER), header);
      Deno.writeTextFileSync(path, other);
      await assert.rejects(JournalWriter.resume(path, HEADER, 0), { code });
      assert.equal(Deno.readTextFileSync(path), other, "nothing is changed by a refusal");
    }
  }));

Deno.test("JournalWriter.flush() keeps its records when the disk is full, and writes them once it is not", () =>
  withFolder(async (folder) => {
    const path = `${folder}/j`;
    await writeTen(path);
    const good = Deno.readFileSync(path);
    for (let at = 0;; at++) {
      Deno.removeSync(path);
      const files = faultyFiles({ at, how: "ENOSPC", shortWrite: true });
      let journal: JournalWriter;
      try {
        journal = await JournalWriter.create(path, HEADER, files);
      } catch (error) {
        assert.match(String(error), /UserError/);
        Deno.writeTextFileSync(path, "");
        continue;
      }
      for (let step = 0; step < 10; step++) {
        appendStep(journal, step);
        if ((step + 1) % 5 !== 0) continue;
        journal.append({ kind: "state", step: step + 1, state: stateOf(step + 1) });
        appendEvaluation(journal, step + 1);
      }
      const error = await journal.sync().then(() => undefined, (error) => error);
      if (error !== undefined) await journal.sync();
      journal.close();
      assert.deepEqual(Deno.readFileSync(path), good);
      if (error === undefined) break;
    }
  }));

Deno.test("readJournal() reads the same whatever the pieces", () =>
  withFolder(async (folder) => {
    const chain = await writeTen(`${folder}/j`);
    const bytes = Deno.readFileSync(`${folder}/j`);
    for (const chunk of [1, 2, 100, 1 << 20]) {
      const reading = await readJournal(stream(bytes, chunk), RUN);
      assert.equal(reading.chain, chain);
      assert.equal(reading.bytes, bytes.length);
      assert.equal(reading.problem, undefined);
    }
  }));

Deno.test("readJournal() says precisely what was tampered with", () =>
  withFolder(async (folder) => {
    await writeTen(`${folder}/j`);
    const text = Deno.readTextFileSync(`${folder}/j`);
    const lines = text.split("\n");
    const at = (index: number, line: string) => lines.map((old, i) => (i === index ? line : old)).join("\n");
    const third = lines[3] ?? "";
    const cases: [string, string, RegExp][] = [
      ["a learning rate", at(3, third.replace(/"lr":"\w/, '"lr":"2')), /line 4.*chain digest/],
      ["a loss", at(3, third.replace(/"loss":"40/, '"loss":"41')), /line 4.*chain digest/],
      ["a gradient norm", at(3, third.replace('"3fc00000"', '"3fc00001"')), /line 4.*chain digest/],
      ["a batch", at(3, third.replace(batchOf(2), batchOf(3))), /line 4.*chain digest/],
      ["a chain digest", at(3, third.replace(/[0-9a-f]{64}"}$/, `${batchOf(0)}"}`)), /line 4.*chain digest/],
      ["a step number", at(3, third.replace('"step":2', '"step":3')), /line 4.*step 3, and step 2 is expected/],
      ["a state", text.replace(stateOf(5), stateOf(6)), /line 7.*chain digest/],
      ["a record left out", lines.filter((_, i) => i !== 3).join("\n"), /line 4.*step 3, and step 2/],
      ["a state left out", lines.filter((_, i) => i !== 6).join("\n"), /line 7.*chain digest/],
      ["an evaluation", text.replace(toBits64(4 - 5 / 8), toBits64(4)), /line 8.*chain digest/],
      ["its tokens", text.replace('"tokens":320', '"tokens":321'), /line 8.*chain digest/],
      ["an evaluation left out", lines.filter((_, i) => i !== 7).join("\n"), /line 8.*chain digest/],
      ["an evaluation twice", at(7, `${lines[7]}\n${lines[7]}`), /line 9.*repeats the evaluation/],
      ["an evaluation before its state", at(6, `${lines[7]}\n${lines[6]}`), /line 7.*chain digest/],
      ["bytes a token", text.replace("4011000000000000", "4010000000000000"), /line 2.*chain digest/],
      ["records swapped", at(3, lines[4] ?? ""), /line 4.*step 3, and step 2/],
      ["a state twice", at(6, `${lines[6]}\n${lines[6]}`), /line 8.*repeats the state/],
      ["white space", at(3, third.replace(",", ", ")), /line 4.*not written as the format prescribes/],
      ["a member more", at(3, third.replace("}", ',"note":1}')), /line 4.*not written as the format prescribes/],
      ["a duplicate key", at(3, third.replace("{", '{"step":9,')), /line 4.*not written as the format prescribes/],
      ["an infinite loss", at(3, third.replace(/"loss":"\w{8}/, '"loss":"7f800000')), /line 4.*"loss" is not the bits/],
      ["upper-case digits", at(3, third.replace(/"lr":"\w{8}/, '"lr":"3B03126F')), /line 4.*"lr" is not the bits/],
      ["no JSON", at(3, "{"), /line 4.*not JSON/],
      ["an array", at(3, "[]"), /line 4.*not a JSON object/],
      ["a step that is a string", at(3, third.replace('"step":2', '"step":"2"')), /line 4.*"step" is not/],
      ["an empty line", at(3, ""), /line 4.*not JSON/],
      ["a long line", at(3, " ".repeat(MAX_LINE_BYTES + 1)), /line 4.*longer than 512 bytes/],
      ["a line without end", `${lines[0]}\n${" ".repeat(MAX_LINE_BYTES + 1)}`, /line 2.*longer than 512 bytes/],
      ["a torn end", text.slice(0, -1), /line 15.*torn/],
      ["a header of another version", text.replace("journal v2", "journal v3"), /line 1.*header/],
      [
        "evaluations in version 1",
        text.replace(formatHeader(HEADER), formatHeader({ version: 1, run: RUN })),
        /line 2.*chain digest/,
      ],
      ["nothing", "", /line 1.*empty/],
    ];
    for (const [name, tampered, reason] of cases) {
      assert.notEqual(tampered, text, name);
      const { problem } = await read(tampered);
      assert.match(`line ${problem?.line}: ${problem?.reason}`, reason, name);
      assert.equal(problem?.torn, name === "a torn end" || name === "nothing", name);
    }
    assert.match((await read(text, OTHER_RUN)).problem?.reason ?? "", /header/);
    const invalid = new TextEncoder().encode(text);
    invalid[200] = 0xff;
    assert.match((await readJournal(stream(invalid), RUN)).problem?.reason ?? "", /not UTF-8/);
  }));

Deno.test("readJournal() lets a visitor object, and stops there", () =>
  withFolder(async (folder) => {
    await writeTen(`${folder}/j`);
    const reading = await readJournalFile(`${folder}/j`, RUN, undefined, (record) => {
      return record.kind === "step" && record.step === 4 ? "not this one" : undefined;
    });
    assert.deepEqual(reading.problem, { line: 6, reason: "not this one", torn: false });
    assert.equal(reading.steps, 4);
  }));

Deno.test("readJournal() accepts the example of docs/manifest.md", async () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/manifest.md", import.meta.url));
  const [, example = ""] = /```jsonl\n([^`]*)```/.exec(page) ?? [];
  const run = sha256("an example run") as RunKey;
  const { problem, header, steps, states, evaluations, divergence, chain } = await read(example, run);
  assert.equal(problem, undefined);
  assert.deepEqual(header, { ...HEADER, run });
  assert.ok(header !== undefined && page.includes(chainStart(header)));
  assert.equal(steps, 2);
  assert.deepEqual(states.map(({ step, state }) => [step, state]), [[0, sha256("state 0")], [2, sha256("state 2")]]);
  assert.deepEqual(
    evaluations.map(({ step, tokens, lr, upstream, downstream }) => [
      step,
      tokens,
      fromBits(lr),
      fromBits64(upstream),
      fromBits64(downstream),
    ]),
    [[0, 0, 0, 5.5, 5.625], [2, 128, Math.fround(0.002), 5.25, 5.4]],
  );
  assert.equal(divergence?.batch, sha256("batch 2"));
  assert.equal(chain, "1f8df28adadc5b45030683808cfeb002633ae1889ea20ac130ac5e5fc0109cea");
  // The bytes that give two of the chain digests, as the page spells them.
  const [, hashed = ""] = /```\n(7265[^`]*)```/.exec(page) ?? [];
  const digests = hashed.trimEnd().split("\n\n").map((block) => {
    const hex = block.split("\n").map((line) => /^[0-9a-f ]+(?= {2,})/.exec(line)?.[0].replaceAll(" ", "") ?? "").join(
      "",
    );
    return sha256(Uint8Array.fromHex(hex));
  });
  const chains = example.trimEnd().split("\n").map((line) => JSON.parse(line).chain);
  assert.deepEqual(digests, [chains[4], chains[6]]);
});

Deno.test("readJournal() reads version 1, in which an evaluation is no record", async () => {
  const folder = new URL("../../fixtures/manifests/v1/runs/warmup-length_0%25_seed-0/", import.meta.url);
  const text = Deno.readTextFileSync(new URL("journal.jsonl", folder));
  const { key, journalRoot, steps } = JSON.parse(Deno.readTextFileSync(new URL("run.json", folder)));
  const reading = await read(text, key);
  assert.equal(reading.problem, undefined);
  assert.deepEqual(reading.header, { version: 1, run: key });
  assert.deepEqual([reading.chain, reading.steps, reading.evaluations.length], [journalRoot, steps, 0]);

  const [, first = ""] = text.split("\n");
  const { chain } = JSON.parse(first);
  const evaluation = evaluationRecord({ step: 0, tokens: 0, learningRate: 0, upstream: 5, downstream: 5 });
  const line = formatRecord(evaluation, chainNext(chain, evaluation));
  const { problem } = await read(text.replace(first, `${first}\n${line}`), key);
  assert.match(
    `line ${problem?.line}: ${problem?.reason}`,
    /line 3: it is an evaluation, which version 1 does not have/,
  );
});

Deno.test("JournalWriter.resume() keeps no records that are not due, and none after one that is missing", () =>
  withFolder(async (folder) => {
    const path = `${folder}/j`;
    await writeTen(path);
    const specification = {
      checkpointInterval: 5,
      batchSequences: 4,
      model: { sequenceLength: 16 },
      engine: { level: "machine_to_machine" },
      evaluation: { interval: 5, denseInterval: 5, denseUntilStep: 0, landmarks: [] as number[] },
    };
    const rates = Float32Array.from({ length: 10 }, (_, step) => step / 1000);
    const dueFor = (change: object, table = rates) =>
      new DueRecords({ specification: { ...specification, ...change } } as never, table);
    // This journal has neither state nor evaluation at step 0.
    for (
      const [step, due, reason] of [
        [10, dueFor({}), /records no state at step 0, where one is due/],
        [0, dueFor({}), /records no state at step 0, where one is due/],
        [3, dueFor({}, rates.map((rate) => 2 * rate)), /whole up to step 0/],
      ] as const
    ) {
      await assert.rejects(JournalWriter.resume(path, HEADER, step, { due }), {
        code: "JOURNAL_TOO_SHORT",
        message: reason,
      });
    }
  }));
