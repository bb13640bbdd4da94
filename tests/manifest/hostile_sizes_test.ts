/** Counts and sizes that a signed manifest may state, or its artefacts have: refused in bounded time and space. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { runKey } from "../../src/experiment/run/run_key.ts";
import { maxCurvesBytes } from "../../src/manifest/verify/artefact_limits.ts";
import type { ArtefactReader } from "../../src/manifest/verify/artefacts.ts";
import { folderArtefacts } from "../../src/manifest/verify/folder_artefacts.ts";
import { LearningRates } from "../../src/manifest/consistency/learning_rates.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { statementFlaw } from "../../src/manifest/consistency/statement_check.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { checkArtefacts } from "../../src/manifest/verify/verify_artefacts.ts";
import { withFolder } from "../temporary_folder.ts";
import { forge, journalText, loose, memoryArtefacts, testJudge } from "./fixture.ts";
import { attacker, bundle, failedStep, report } from "./fuzz_fixture.ts";

const encoder = new TextEncoder();
const [first = assert.fail(), second = assert.fail()] = bundle.statement.predicate.runs.filter(isTrained);

Deno.test("verifyManifest() tells the first flaws of a payload with a million, and not all of them", async () => {
  const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0]));
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const cases: ((statement: any) => void)[] = [
    (s) => s.subject = new Array(900_000).fill(0),
    (s) => s.subject = new Array(200_000).fill({}),
    (s) => Object.assign(s, names(100_000)),
    (s) => s.predicate.environment.libraries = names(50_000),
    (s) => s.predicate.runs = new Array(900_000).fill({}),
    (s) => s.predicate.runs = new Array(20_000).fill({ outcome: "completed" }),
    (s) => s.predicate.runs[0].states = new Array(400_000).fill({}),
    (s) => s.predicate.runs[0].specification.evaluation.landmarks = new Array(900_000).fill(-1),
    (s) => s.predicate.runs[0].usedBy = new Array(900_000).fill({}),
    (s) => s.predicate.command = new Array(900_000).fill(1),
    (s) => s.predicate.seeds.count = 1001,
    (s) => s.predicate.runs[0].steps = 2 ** 40,
    (s) => s.predicate.runs[0].specification.model.layers = 1_000_000_000,
    (s) => s.predicate.runs[0].specification.schedule.totalSteps = 2 ** 40,
    (s) => s.predicate.runs[0].specification.schedule.totalSteps = 2 ** 53,
    (s) => s.predicate.runs[0].usedBy = [{ experiment: "a", arm: "b", seedIndex: 1000, steps: 1 }],
  ];
  for (const change of cases) {
    const forged = loose(bundle.statement);
    change(forged);
    const found = await report(await forge(forged, attacker), bundle.artefacts);
    assert.equal(failedStep(found), "schema", String(change));
    const { detail } = found.steps.find(({ name }) => name === "schema") ?? assert.fail();
    assert(detail.length < 2000, `${String(change)}: ${detail.length} characters`);
  }
});

Deno.test("LearningRates computes no more steps than it may, all schedules together, and each schedule once", () => {
  const rates = new LearningRates(100);
  const schedule = (totalSteps: number, maxLearningRate: number) => ({
    kind: "constant" as const,
    totalSteps,
    warmupSteps: 0,
    maxLearningRate,
    minLearningRate: 0,
  });
  const { specification } = first;
  const flaw = (totalSteps: number, rate: number) =>
    rates.flaw({ ...specification, schedule: schedule(totalSteps, rate) });
  assert.match(flaw(60, 1) ?? "", /digest of learning rates/);
  assert.match(flaw(60, 1) ?? "", /digest of learning rates/);
  assert.match(flaw(41, 2) ?? "", /schedules longer than 100 steps in all/);
  assert.throws(() => rates.table(schedule(2 ** 40, 3)), RangeError);
  assert.match(flaw(40, 2) ?? "", /digest of learning rates/);
  assert.equal(rates.table(schedule(40, 2)).length, 40);
});

Deno.test("verifyManifest() does not read an artefact further than it can be long", async () => {
  const checkpoint = first.states.find(({ checkpoint }) => checkpoint !== undefined)?.checkpoint ?? assert.fail();
  for (const name of ["plan.json", first.journal.name, second.curves.name, checkpoint.name]) {
    let bytes = 0;
    const endless: ArtefactReader = {
      async *open(opened) {
        if (opened !== name) return yield* memoryArtefacts(bundle.artefacts).open(opened);
        const chunk = new Uint8Array(1 << 18).fill(0x20);
        for (;; bytes += chunk.length) yield chunk;
      },
    };
    const found = await verifyManifest(encoder.encode(bundle.envelope), endless, { judge: testJudge });
    assert.equal(found.verdict, "failed");
    assert.equal(failedStep(found), "artefacts");
    const { detail } = found.steps.find(({ name }) => name === "artefacts") ?? assert.fail();
    assert.match(detail, /has more than the \d+ bytes that it can have/);
    assert(detail.includes(name));
    assert(bytes < 100_000_000, `${bytes} bytes of "${name}" were read`);
  }
});

Deno.test("verifyManifest() stops at the first state that a journal holds and nothing states", async () => {
  const everywhere = Array.from({ length: first.steps }, (_, step) => step);
  const { text, root } = journalText(first, Infinity, (record) => record, everywhere);
  const artefacts = new Map([...bundle.artefacts, [first.journal.name, encoder.encode(text)]]);
  const forged = loose(bundle.statement);
  forged.predicate.runs[0].journal.root = root;
  const found = await report(await forge(forged, attacker), artefacts);
  const { detail } = found.steps.find(({ name }) => name === "journals") ?? assert.fail();
  assert.match(detail, /the states it records and those stated differ from step 2 on/);
});

Deno.test("statementFlaw() refuses a run that starts from a run of another model", () => {
  const forged = structuredClone(loose(bundle.statement));
  const run = forged.predicate.runs[1];
  run.specification.model.layers = 3;
  run.key = runKey(run.specification);
  assert.match(statementFlaw(forged) ?? "", /starts from run "upstream_pretrain_seed-0", which has another model/);
});

Deno.test("checkArtefacts() reads a file once that lies under a thousand names", async () => {
  const content = encoder.encode("the same for all");
  const digest = { sha256: sha256(content) };
  const subject = Array.from({ length: 1000 }, (_, i) => ({ name: `f/${i}`, digest }));
  let opened = 0;
  const reader: ArtefactReader = {
    async *open() {
      opened++;
      yield content;
    },
    identity: (name) => Promise.resolve(name === "f/7" ? undefined : "1:1"),
  };
  const { good, outcome } = await checkArtefacts({ ...bundle.statement, subject }, reader, () => false);
  assert.equal(good.size, 1000);
  assert.equal(outcome.status, "ok");
  assert.equal(opened, 2);
});

Deno.test("folderArtefacts() knows the names of one file, hard links and symbolic ones, and tells other files apart", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "x");
    await Deno.writeTextFile(`${folder}/b`, "x");
    await Deno.link(`${folder}/a`, `${folder}/hard`);
    await Deno.symlink("a", `${folder}/soft`);
    const { identity } = folderArtefacts(folder);
    const [a, b, hard, soft] = await Promise.all(["a", "b", "hard", "soft"].map((name) => identity?.(name)));
    assert.deepEqual([hard, soft], [a, a]);
    assert.notEqual(a, b);
  });
});

Deno.test("maxCurvesBytes() lets a curve be as long as its run, and no longer", () => {
  const limit = maxCurvesBytes(first);
  const real = bundle.artefacts.get(first.curves.name)?.length ?? assert.fail();
  assert.ok(real <= limit && limit < 1e6);
});
