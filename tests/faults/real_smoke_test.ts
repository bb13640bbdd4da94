/** Of all the ways to stop and to fail, a sample with the real engine and the real data: every kind, in every file. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { openCorpora } from "../../src/data/corpora.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { UserError } from "../../src/errors.ts";
import { buildPlan } from "../../src/experiment/plan/plan.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { carryOut } from "../../src/reproduce/carry_out.ts";
import { digestsOf, readInputs } from "../../src/reproduce/inputs.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import { faultyFiles, type Operation } from "../files/faulty_files.ts";
import { DATA_CACHE, digestOf, GOLDEN, kernelCache } from "../reproduce/smoke.ts";
import { firstDifference } from "./disk_image.ts";
import { type Fate, FATES, SimulatedDisk } from "./simulated_disk.ts";
import { comparable, EMPTY, OUTPUT } from "./small_smoke.ts";
import { stopsOf } from "./stops.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const THREADS = 2;
const FAILURES = [{ how: "EIO" }, { how: "ENOSPC" }, { how: "ENOSPC", shortWrite: true }];

/** What an operation is about, whatever the run and the step. */
function fileOf({ path }: Operation): string {
  if (path.includes("/.locks/")) return "lease";
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/^\.(.+)\.[0-9a-f]{8}\.partial$/, "$1");
  if (name.startsWith("step-")) return "checkpoint";
  return /\.(lock|json|jsonl|yaml|html)$/.test(name) ? name : "folder";
}

/** The same sequence in every run, and no two neighbours near each other: fractional parts of multiples of φ. */
function spread<T>(choices: readonly T[], index: number): T {
  const choice = choices[Math.floor(choices.length * ((index * 0.6180339887498949) % 1))];
  assert(choice !== undefined);
  return choice;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) groups.set(key, [...groups.get(key) ?? [], item]);
  }
  return groups;
}

Deno.test(`the real smoke plan ends with the golden digest of ${GOLDEN.arithmetic} wherever it stops or fails, by a sample`, async () => {
  const engine = await createExactEngine({ threads: THREADS, sha256, cache: kernelCache });
  const { level, arithmetic } = engine;
  const choice = { ...FIXTURE_CATALOGUE, scale: "smoke", seeds: 1, engine: { level, arithmetic } };
  const { sequenceLength } = (await buildPlan(choice)).scale.model.config;
  const corpora = await openCorpora({ source: { kind: "npm" }, sequenceLength, cacheFolder: DATA_CACHE });
  const { upstream, downstream } = corpora;
  const corpusDigests = { upstream: upstream.digest, downstream: downstream.digest };
  const ready = {
    paper: await loadPaper(FIXTURE_CATALOGUE),
    inputs: digestsOf(await readInputs("smoke")),
    plan: await buildPlan({ ...choice, corpusDigests }),
    corpora,
  };
  const key = await generateSigningKey();
  const reproduce = (fileSystem: FileSystem) => {
    const signingKey = () => Promise.resolve(key);
    return carryOut({ scale: "smoke", engine, threads: THREADS, output: OUTPUT, fileSystem, signingKey }, ready);
  };

  const disk = new SimulatedDisk(EMPTY);
  const { stops } = await stopsOf(disk, async (files) => void await reproduce(files), {
    known: () => undefined,
  });
  const undisturbed = comparable(disk.afterStop("lost"));
  const goOn = async (restarted: SimulatedDisk, what: string) => {
    assert.equal(digestOf(await reproduce(restarted.files)), GOLDEN.digest, what);
    assert.equal(firstDifference(comparable(restarted.afterStop("lost")), undisturbed), undefined, what);
  };

  let tried = 0;
  const fates = new Set<Fate>();
  const stopsByFile = grouped(stops, ({ operation }) => operation && fileOf(operation));
  for (const stopsOfFile of stopsByFile.values()) {
    // Where two fates leave the same disk, it counts for the first of them.
    const ofFate = stopsOfFile.filter(({ fate }) => fate === FATES[tried % FATES.length]);
    const stop = spread(ofFate.length > 0 ? ofFate : stopsOfFile, ++tried);
    fates.add(stop.fate);
    await goOn(stop.restart(), stop.moment);
  }
  assert.equal(fates.size, FATES.length);

  const log: Operation[] = [];
  await reproduce(faultyFiles({ at: Infinity, how: "" }, new SimulatedDisk(EMPTY).files, (operation) => {
    log.push(operation);
  }));
  const writes = [...log.entries()].filter(([_, { name, path }]) => name === "write" && !path.includes("/.locks/")); // failures_test.ts tries those
  let failed = 0;
  for (const [file, writesOfFile] of grouped(writes, ([_, operation]) => fileOf(operation))) {
    const failure = FAILURES[failed % FAILURES.length];
    const [at] = spread(writesOfFile, ++failed);
    assert(failure !== undefined);
    const failing = new SimulatedDisk(EMPTY);
    const what = `${failure.how} at write ${at}, of ${file}`;
    await assert.rejects(reproduce(faultyFiles({ at, ...failure }, failing.files)), UserError, what);
    await goOn(failing, what);
  }
  upstream.close();
  downstream.close();
  console.log(`${tried} stops and ${failed} failures, spread over ${[...stopsByFile.keys()].sort().join(", ")}`);
});
