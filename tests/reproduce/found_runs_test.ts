/** Runs that lie in the output folder: what is taken as it is, what is retrained, and what the manifest says of it. */
import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import type { PlannedRun } from "../../src/experiment/run/run.ts";
import type { Predicate } from "../../src/manifest/format/predicate.ts";
import { isTrained, type TrainedRun } from "../../src/manifest/format/run.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { parameterCount } from "../../src/model/config.ts";
import { segmentName } from "../../src/retrain/segment.ts";
import type { RetrainFoundChoice } from "../../src/reproduce/retrain_found.ts";
import { checkpointName, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { curvePoint, formatCurves } from "../../src/train/journal/journal_curves.ts";
import { chainStart, formatHeader, type JournalHeader, parseHeader } from "../../src/train/journal/journal_header.ts";
import { chainNext, formatRecord, fromBits64, parseRecord, toBits64 } from "../../src/train/journal/journal_record.ts";
import type { JournalRecord } from "../../src/train/journal/journal_record.ts";
import { stateDigest } from "../../src/train/checkpoint/state_digest.ts";
import { Interrupted } from "../../src/train/run_environment.ts";
import { below, type DiskImage, firstDifference } from "../faults/disk_image.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { fakeEngine } from "../train/fake_training.ts";
import { EMPTY, folderOfRun, OUTPUT, SmallSmoke } from "../faults/small_smoke.ts";

const smoke = await SmallSmoke.make(["upstream", "earlier-checkpoints/7%-warmup-0%"]);
const [PARENT, CHILD] = smoke.plan.runs as [PlannedRun, PlannedRun];
const MANIFEST = `${OUTPUT}/manifest.dsse.json`;

/** The folder that an undisturbed process left. */
const honest: DiskImage = await (async () => {
  const disk = new SimulatedDisk(EMPTY);
  await smoke.carryOut(disk.files);
  return disk.afterStop("lost");
})();

/** The same without what is signed. */
const unsigned: DiskImage = new Map([...honest].filter(([path]) => path !== MANIFEST));

/** A folder in the hands of a forger, who may change every file in it and has no key. */
class Forger {
  readonly image = new Map(unsigned);
  readonly #folder: string;

  constructor(readonly run: PlannedRun = PARENT) {
    this.#folder = folderOfRun(run);
  }

  bytes(name: string): Uint8Array<ArrayBuffer> {
    const bytes = this.image.get(`${this.#folder}/${name}`);
    assert(bytes !== undefined, name);
    return bytes;
  }

  text(name: string): string {
    return new TextDecoder().decode(this.bytes(name));
  }

  write(name: string, contents: string | Uint8Array<ArrayBuffer>): void {
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    this.image.set(`${this.#folder}/${name}`, bytes);
  }

  /** Changes the record of the run. */
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  record(change: (record: any) => void): void {
    const record = JSON.parse(this.text("run.json"));
    change(record);
    this.write("run.json", `${canonicalJson(record)}\n`);
  }

  /** Makes the record's digests of files fit the files. */
  fitDigests(): void {
    this.record(({ files }) => {
      files.journal = sha256(this.bytes("journal.jsonl"));
      files.curves = sha256(this.bytes("curves.json"));
      for (const name of Object.keys(files.checkpoints)) {
        files.checkpoints[name] = sha256(this.bytes(`checkpoints/${name}`));
      }
    });
  }

  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  curves(change: (curves: any) => void): void {
    const curves = JSON.parse(this.text("curves.json"));
    change(curves);
    this.write("curves.json", `${canonicalJson(curves)}\n`);
  }

  /** Writes other records with a chain that is whole, and the curve and the record that follow from them. */
  journal(
    change: (record: JournalRecord) => JournalRecord,
    changeHeader = (header: JournalHeader) => header,
  ): void {
    const [first = "", ...lines] = this.text("journal.jsonl").trimEnd().split("\n");
    const header = changeHeader(parseHeader(first, this.run.key) ?? assert.fail());
    let chain = chainStart(header);
    const records = lines.map((line) => {
      const parsed = parseRecord(line);
      if (typeof parsed === "string") assert.fail(parsed);
      return change(parsed.record);
    }).filter(({ kind }) => header.version === 2 || kind !== "evaluation");
    const text = records.map((record) => `${formatRecord(record, chain = chainNext(chain, record))}\n`).join("");
    this.write("journal.jsonl", `${formatHeader(header)}\n${text}`);
    const curves = JSON.parse(this.text("curves.json"));
    const points = records.flatMap((record) => record.kind === "evaluation" ? [curvePoint(record)] : []);
    if (header.version === 2) {
      this.write("curves.json", formatCurves({ ...curves, bytesPerToken: header.bytesPerToken, points }));
    }
    this.record((record) => {
      record.journalRoot = chain;
      record.states = records.flatMap(({ kind, ...rest }) => kind === "state" ? [rest] : []);
    });
    this.fitDigests();
  }

  disk(): SimulatedDisk {
    return new SimulatedDisk(this.image);
  }
}

/** What came of a command that was given for a folder. */
async function command(disk: SimulatedDisk, options: Parameters<SmallSmoke["reproduce"]>[1] = {}) {
  const warnings: string[] = [];
  const choices: RetrainFoundChoice[] = [];
  const retrained: string[] = [];
  const before = smoke.steps;
  const result = await smoke.reproduce(disk.files, {
    ...options,
    events: {
      ...options.events,
      onWarning: (warning) => warnings.push(warning),
      onRetrain: (choice) => choices.push(choice),
      onRetrained: (segment) => retrained.push(segmentName(segment)),
    },
  });
  const report = await verifyManifestFile(MANIFEST, { files: disk.files });
  const flaws = report.steps.filter(({ status }) => status === "failed");
  assert.deepEqual(flaws, []);
  const statement = report.statement ?? assert.fail();
  return {
    result,
    warnings: warnings.join("\n"),
    choice: choices[0],
    retrained,
    steps: smoke.steps - before,
    runs: trainedRuns(statement.predicate),
  };
}

function trainedRuns({ runs }: Predicate): TrainedRun[] {
  return runs.filter(isTrained);
}

const origins = (runs: readonly TrainedRun[]) => runs.map(({ origin }) => origin);

function withHalvedLosses(record: JournalRecord): JournalRecord {
  return record.kind === "evaluation" ? { ...record, downstream: toBits64(fromBits64(record.downstream) / 2) } : record;
}

Deno.test("reproduce() says that a run was trained, and of the same folder later that it was found", async () => {
  const disk = new SimulatedDisk(EMPTY);
  assert.deepEqual(origins((await command(disk)).runs), ["trained", "trained"]);
  const found = await command(new SimulatedDisk(unsigned));
  assert.deepEqual(origins(found.runs), ["found", "found"]);
  assert.equal(found.steps, 0);
  assert.equal(found.warnings, "");
});

/** Contradictions in a folder, by what they are: the change, and what of it is told. */
const CONTRADICTIONS: Record<string, [change: (forger: Forger) => void, told: RegExp]> = {
  "halved losses in the curve, with digests made to fit": [
    (forger) => {
      forger.curves(({ points }) => {
        for (const point of points) point.downstream /= 2;
      });
      forger.fitDigests();
    },
    /curves\.json": its downstream loss at step 0 is .*, and the journal records/,
  ],
  "one bit of one loss": [
    (forger) => {
      forger.curves(({ points }) => points[3].upstream += 2 ** -40);
      forger.fitDigests();
    },
    /its upstream loss at step \d+ is .*, and the journal records/,
  ],
  "a point less": [
    (forger) => {
      forger.curves(({ points }) => points.splice(1, 1));
      forger.fitDigests();
    },
    /it has no point at step \d+, which the journal records/,
  ],
  "bytes a token in the curve": [
    (forger) => {
      forger.curves(({ bytesPerToken }) => bytesPerToken.upstream *= 2);
      forger.fitDigests();
    },
    /its "bytesPerToken" is .*, and from the journal follows/,
  ],
  "bytes a token everywhere": [
    (forger) =>
      forger.journal(
        (record) => record,
        (header) => header.version === 2 ? { ...header, bytesPerToken: { upstream: 2, downstream: 1 } } : header,
      ),
    /was begun with other validation text/,
  ],
  "a curve that is none": [(forger) => forger.write("curves.json", "{"), /curves\.json" is not valid JSON/],
  "a loss of a step": [
    (forger) => {
      forger.write("journal.jsonl", forger.text("journal.jsonl").replace(/"loss":"40(.)/, '"loss":"41$1'));
      forger.fitDigests();
    },
    /line \d+: its chain digest .* does not follow/,
  ],
  "a journal cut short": [
    (forger) => {
      forger.write("journal.jsonl", forger.text("journal.jsonl").split("\n").slice(0, 20).join("\n") + "\n");
      forger.fitDigests();
    },
    /it has \d+ steps, and "run\.json" states 64/,
  ],
  "rates of another schedule": [
    (forger) => forger.journal((record) => record.kind === "step" ? { ...record, lr: "3a83126f" } : record),
    /its learning rate is .*, and the schedule has/,
  ],
  "an evaluation moved to other tokens": [
    (forger) => forger.journal((record) => record.kind === "evaluation" ? { ...record, tokens: 1 } : record),
    /it is said to be after 1 tokens, and 0 steps read 0/,
  ],
  "a record that is none": [(forger) => forger.write("run.json", "{}"), /run\.json" is no record of a run/],
  "another root": [(forger) => forger.record((record) => record.journalRoot = sha256("x")), /its chain ends in/],
  "a journal's digest": [
    (forger) => forger.record(({ files }) => files.journal = sha256("x")),
    /journal.*its digest is not/,
  ],
  "a curve's digest": [
    (forger) => forger.record(({ files }) => files.curves = sha256("x")),
    /curve.*its digest is not/,
  ],
  "more steps": [
    (forger) => forger.record((record) => record.steps = 65),
    /it has 64 steps, and "run\.json" states 65/,
  ],
  "another name": [(forger) => forger.record((record) => record.label = "x"), /is that of run "x"/],
  "another state": [
    (forger) => forger.record((record) => record.states[1].state = sha256("x")),
    /the states it records and those in "run\.json" differ from step \d+ on/,
  ],
  "a state less": [(forger) => forger.record((record) => record.states.pop()), /differ from step 64 on/],
  "a divergence that was none": [
    (forger) => forger.record((record) => record.outcome = { kind: "diverged", step: 64, value: "NaN" }),
    /it records that the run completed, and "run\.json" states that it diverged/,
  ],
  "no checkpoints": [
    (forger) => forger.record(({ files }) => files.checkpoints = {}),
    /does not name the checkpoints of its states/,
  ],
  "a checkpoint's digest": [
    (forger) => forger.record(({ files }) => files.checkpoints[checkpointName(64)] = sha256("x")),
    /step-000064.*its digest is not the one/,
  ],
  "conditions that no checkpoint has": [
    (forger) => forger.record((record) => record.conditions = [{ fromStep: 0, conditions: { gpu: "another" } }]),
    /was computed under other conditions/,
  ],
};

for (const [what, [change, told]] of Object.entries(CONTRADICTIONS)) {
  Deno.test(`reproduce() takes no run with ${what}: it says so, and makes the run's files again`, async () => {
    const forger = new Forger();
    change(forger);
    assert.notEqual(firstDifference(forger.image, unsigned), undefined, "nothing was forged");
    const disk = forger.disk();
    const { warnings } = await command(disk);
    assert.match(warnings, /Run "upstream_pretrain_seed-0" is not taken as it lies in the folder/);
    assert.match(warnings, told);
    const folders = smoke.plan.runs.map(folderOfRun);
    assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(unsigned, folders)), undefined);
  });
}

/** Changes the weights in a checkpoint, and may store it for another step; its own digest fits, and so does the record's. */
async function otherWeights(forger: Forger, from: number, step = from): Promise<Digest> {
  const { model, batchSequences } = forger.run.specification;
  const vector = () => new Float32Array(parameterCount(model));
  const state = { weights: vector(), firstMoments: vector(), secondMoments: vector() };
  const pathOf = (step: number) => `${folderOfRun(forger.run)}/checkpoints/${checkpointName(step)}`;
  const disk = forger.disk();
  await readCheckpoint(pathOf(from), model, state, { run: forger.run.key, step: from }, disk.files);
  state.weights.forEach((weight, index) => state.weights[index] = weight / 2 + 1);
  const dataPosition = step * batchSequences;
  const digest = stateDigest(state, step, dataPosition);
  const info = { run: forger.run.key, step, dataPosition, state: digest };
  await writeCheckpoint(pathOf(step), model, state, info, disk.files);
  forger.write(`checkpoints/${checkpointName(step)}`, disk.afterStop("lost").get(pathOf(step)) ?? assert.fail());
  forger.fitDigests();
  return digest;
}

Deno.test("reproduce() takes no checkpoint that holds another state than the journal records, though all digests fit", async () => {
  const forger = new Forger();
  await otherWeights(forger, 64);
  const disk = forger.disk();
  const { warnings, runs } = await command(disk);
  assert.match(warnings, /step-000064.*holds state .*, and the journal records/);
  assert.equal(runs[0]?.origin, "resumed");
  const folders = smoke.plan.runs.map(folderOfRun);
  assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(unsigned, folders)), undefined);
});

Deno.test("reproduce() uses nothing that is stored for step 0", async () => {
  const forger = new Forger();
  const state = await otherWeights(forger, 64, 0);
  forger.journal((record) => record.kind === "state" && record.step === 0 ? { ...record, state } : record);
  for (const [path, contents] of [...forger.image]) {
    const isKept = contents === undefined || path.endsWith("/journal.jsonl") ||
      path.endsWith("/step-000000.safetensors");
    if (path.startsWith(`${folderOfRun(PARENT)}/`) && !isKept) forger.image.delete(path);
  }
  const disk = forger.disk();
  const { warnings, runs } = await command(disk);
  assert.equal(warnings, "");
  assert.equal(runs[0]?.origin, "trained");
  const folders = smoke.plan.runs.map(folderOfRun);
  assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(unsigned, folders)), undefined);
});

/** A folder in which everything fits: the downstream losses of the first run are a lie. */
function laundered(): Forger {
  const forger = new Forger();
  forger.journal(withHalvedLosses);
  return forger;
}

Deno.test("reproduce() says of a run that was forged throughout that it was found", async () => {
  const { warnings, runs, steps } = await command(laundered().disk());
  assert.equal(warnings, "");
  assert.equal(steps, 0);
  assert.deepEqual(origins(runs), ["found", "found"]);
});

Deno.test("reproduce() says so too where the forger leaves no record of the run, only its newest checkpoint", async () => {
  const forger = laundered();
  forger.image.delete(`${folderOfRun(PARENT)}/run.json`);
  const { runs, steps } = await command(forger.disk());
  assert.equal(steps, 0);
  assert.deepEqual(origins(runs), ["found", "found"]);
});

Deno.test("reproduce() with retraining signs nothing of a forged run, and names the first difference", async () => {
  for (const retrain of ["all", 1000] as const) {
    const disk = laundered().disk();
    await assert.rejects(smoke.reproduce(disk.files, { retrain }), (error) => {
      assert(error instanceof UserError && error.code === "RETRAINING_DIFFERS", String(error));
      assert.match(error.message, /Nothing is signed, run "upstream_pretrain_seed-0", step 0: its curve is downstream/);
      return true;
    });
    assert(!disk.afterStop("lost").has(MANIFEST), "nothing is signed");
  }
});

Deno.test("reproduce() with retraining catches every piece of a run that training does not give", async () => {
  const forgeries: [string, (forger: Forger) => Promise<void> | void, RegExp][] = [
    [
      "a loss",
      (forger) => forger.journal((r) => r.kind === "step" && r.step === 20 ? { ...r, loss: "40a00000" } : r),
      /step 20: its loss/,
    ],
    [
      "a norm",
      (forger) => forger.journal((r) => r.kind === "step" && r.step === 63 ? { ...r, gradientNorm: "40a00000" } : r),
      /step 63: its grad/,
    ],
    [
      "a batch",
      (forger) => forger.journal((r) => r.kind === "step" && r.step === 1 ? { ...r, batch: sha256("x") } : r),
      /step 1: its batch/,
    ],
    ["weights, with their state in the journal", async (forger) => {
      const state = await otherWeights(forger, 32);
      forger.journal((record) => record.kind === "state" && record.step === 32 ? { ...record, state } : record);
    }, /step 32: its state/],
  ];
  for (const [what, forge, told] of forgeries) {
    const forger = new Forger();
    await forge(forger);
    const { runs } = await command(forger.disk());
    assert.equal(runs[0]?.origin, "found", what);
    const disk = forger.disk();
    await assert.rejects(smoke.reproduce(disk.files, { retrain: "all" }), {
      code: "RETRAINING_DIFFERS",
      message: told,
    });
    assert(!disk.afterStop("lost").has(MANIFEST), what);
  }
});

Deno.test("reproduce() states which pieces of honest runs were retrained, drawn by randomness of its own", async () => {
  const whole = await command(new SimulatedDisk(unsigned), { retrain: "all" });
  assert.equal(whole.choice?.seed, undefined);
  assert.equal(whole.retrained.length, whole.choice?.total);
  for (const { origin, retrained, journal } of whole.runs) {
    assert.equal(origin, "found");
    assert.deepEqual(retrained, [{ fromStep: 0, toStep: journal.steps }]);
  }

  const seeds = new Set<string>();
  for (let time = 0; time < 3; time++) {
    const { choice, retrained, runs } = await command(new SimulatedDisk(unsigned), { retrain: 2 });
    assert(choice !== undefined && choice.total > 2 && choice.seed !== undefined);
    seeds.add(choice.seed);
    assert.match(choice.worth, /1 − \(1 − p\)\^2/);
    assert.deepEqual(retrained, choice.segments.map(segmentName));
    assert.equal(retrained.length, 2);
    const stated = runs.reduce(
      (sum, run) => sum + (run.retrained ?? []).reduce((all, piece) => all + piece.toStep - piece.fromStep, 0),
      0,
    );
    assert.equal(stated, choice.segments.reduce((sum, { from, to }) => sum + to - from, 0));
  }
  assert.equal(seeds.size, 3);
});

Deno.test("reproduce() trains nothing again that this very process trained", async () => {
  const { choice, retrained, runs } = await command(new SimulatedDisk(EMPTY), { retrain: "all" });
  assert.equal(choice?.total, 0);
  assert.deepEqual(retrained, []);
  assert(runs.every((run) => run.retrained === undefined));
});

Deno.test("reproduce() says that a run was resumed, and retrains only what was there before", async () => {
  const disk = new SimulatedDisk(EMPTY);
  const controller = new AbortController();
  const onProgress = ({ step }: { readonly step: number }) => {
    if (step === 40) controller.abort();
  };
  await assert.rejects(smoke.reproduce(disk.files, { signal: controller.signal, events: { onProgress } }), Interrupted);
  const { runs, retrained, warnings } = await command(disk, { retrain: "all" });
  assert.equal(warnings, "");
  assert.deepEqual(origins(runs), ["resumed", "trained"]);
  assert.deepEqual(runs[0]?.retrained, [{ fromStep: 0, toStep: 48 }]);
  assert(retrained.every((name) => name.startsWith(PARENT.label)));
});

Deno.test("reproduce() keeps its own manifest of runs that it trained, until pieces are retrained", async () => {
  const disk = new SimulatedDisk(honest);
  await command(disk);
  assert.equal(firstDifference(disk.afterStop("lost"), honest), undefined);
  const { runs } = await command(disk, { retrain: 1 });
  assert(runs.some(({ retrained }) => retrained !== undefined));
  const signed = disk.afterStop("lost").get(MANIFEST);
  await command(disk);
  assert.deepEqual(disk.afterStop("lost").get(MANIFEST), signed);
});

Deno.test("reproduce() refuses a folder of an earlier version's runs, done or not, and leaves it as it is", async () => {
  for (const isFinished of [true, false]) {
    const forger = new Forger();
    forger.journal((record) => record, ({ run }) => ({ version: 1, run }));
    if (!isFinished) forger.image.delete(`${folderOfRun(PARENT)}/run.json`);
    const disk = forger.disk();
    await assert.rejects(smoke.reproduce(disk.files), {
      code: "JOURNAL_OF_EARLIER_VERSION",
      message: /has version 1 of the format.*or choose another folder with --out DIR/,
    });
    const folders = smoke.plan.runs.map(folderOfRun);
    assert.equal(firstDifference(below(disk.afterStop("lost"), folders), below(forger.image, folders)), undefined);
  }
});

Deno.test("reproduce() refuses an earlier version's run before it trains those before it", async () => {
  const forger = new Forger(CHILD);
  forger.journal((record) => record, ({ run }) => ({ version: 1, run }));
  forger.image.delete(`${folderOfRun(CHILD)}/run.json`);
  for (const path of [...forger.image.keys()]) {
    if (path.startsWith(`${folderOfRun(PARENT)}/`)) forger.image.delete(path);
  }
  const before = smoke.steps;
  await assert.rejects(smoke.reproduce(forger.disk().files), { code: "JOURNAL_OF_EARLIER_VERSION" });
  assert.equal(smoke.steps, before);
});

Deno.test("reproduce() refuses to promise retraining where the engine promises no bits", async () => {
  const engine = { ...fakeEngine(), level: "not_guaranteed" as const };
  const disk = new SimulatedDisk(EMPTY);
  await assert.rejects(smoke.reproduce(disk.files, { engine, retrain: 1 }), { code: "ENGINE_CANNOT_RETRAIN" });
  assert(!disk.afterStop("lost").has(`${OUTPUT}/plan.json`), "before anything is done");
});

Deno.test("reproduce() says of a run trained here that its parent was found", async () => {
  const forger = laundered();
  for (const path of [...forger.image.keys()]) if (path.startsWith(`${folderOfRun(CHILD)}/`)) forger.image.delete(path);
  assert.deepEqual(origins((await command(forger.disk())).runs), ["found", "trained"]);
});
