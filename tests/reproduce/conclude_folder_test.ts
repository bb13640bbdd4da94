/** What workers left, concluded: with the real engine and data at the smoke scale. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { UserError } from "../../src/errors.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { concludeFolder, type ConcludeOptions } from "../../src/reproduce/conclude_folder.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { writePlan } from "../../src/reproduce/reproduce.ts";
import { openShared } from "../../src/worker/open_shared.ts";
import { readSharedPlan } from "../../src/worker/shared_plan.ts";
import { work } from "../../src/worker/work.ts";
import { withFolder } from "../temporary_folder.ts";
import { DATA_CACHE, kernelCache } from "./smoke.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

const places = { dataCache: DATA_CACHE };

/** A machine that trains, by its name. */
const machine = (host: string) => ({
  host,
  job: `slurm ${host}`,
  os: "linux",
  architecture: "x86_64",
  cpu: "a processor",
  gpu: "none",
  deno: "2.9.6",
  engine: { name: "exact", description: {} },
});

const conclude = (output: string, further: Partial<ConcludeOptions> = {}) =>
  concludeFolder({ ...FIXTURE_CATALOGUE, output, places, signingKey: generateSigningKey, ...further });

Deno.test("concludeFolder() signs what two machines trained in two folders, and says who trained what", () =>
  withFolder(async (folder) => {
    const engine = await createExactEngine({ threads: 1, sha256, cache: kernelCache });
    const [here, there] = [`${folder}/here`, `${folder}/there`];
    const planned = { ...FIXTURE_CATALOGUE, scale: "smoke", only: ["from-scratch", "warmup-length/0%"], engine };
    for (const output of [here, there]) await writePlan({ ...planned, threads: 1, output, ...places });
    const plan = await readSharedPlan(here);
    const scratch = plan.runs.find(({ label }) => label.startsWith("from-scratch"));
    using opened = await openShared(plan, places);
    const train = (output: string, host: string, only?: typeof scratch) =>
      work({ plan, engine, corpora: opened.corpora, output, run: only, trainer: machine(host) });

    await train(there, "laptop", scratch);
    const early = await conclude(here);
    assert(early.kind === "missing");
    assert.deepEqual(early.missing.map(({ state }) => state), ["ready", "waiting", "ready"]);
    for (const run of plan.runs) if (run !== scratch) await train(here, "node-1", run);

    const signed = await conclude(here, { from: [there] });
    assert(signed.kind === "signed", JSON.stringify(signed));
    const judge = paperJudge((await loadPaper(FIXTURE_CATALOGUE)).text, PAPER_FILE);
    const report = await verifyManifestFile(`${here}/manifest.dsse.json`, { judge });
    assert.equal(report.verdict, "verified", JSON.stringify(report.steps));
    const runs = report.statement?.predicate.runs.filter(isTrained) ?? [];
    assert.deepEqual(runs.map(({ origin }) => origin), ["found", "found", "found"]);
    assert.deepEqual(runs.map(({ trainedBy }) => trainedBy?.map(({ machine, job }) => `${machine} ${job}`)), [
      ["1 slurm node-1"],
      ["1 slurm node-1"],
      ["2 slurm laptop"],
    ]);
    const manifest = await Deno.readTextFile(`${here}/manifest.dsse.json`);
    const { payload } = JSON.parse(manifest);
    assert.doesNotMatch(atob(payload), /"host"/, "machines' names are not published");
    assert.match(await Deno.readTextFile(`${here}/report.html`), /2 machines/);

    // A checkpoint that changed after it was trained is found out before anything is signed.
    const [first] = plan.runs;
    const [checkpoint] = [...Deno.readDirSync(`${here}/runs/${first?.label}/checkpoints`)].map(({ name }) => name);
    const path = `${here}/runs/${first?.label}/checkpoints/${checkpoint}`;
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    await assert.rejects(
      conclude(here),
      (error) => error instanceof UserError && error.code === "RUN_CONTRADICTORY" && error.message.includes(path),
    );
  }));

Deno.test("concludeFolder() takes the rules that give the plan, and refuses a plan that none gives", () =>
  withFolder(async (folder) => {
    const engine = {
      name: "exact",
      level: "machine_to_machine",
      arithmetic: "ordered-f32/1",
      description: {},
    } as const;
    const planned = { scale: "smoke", only: ["from-scratch"], engine, threads: 1, ...places };
    await writePlan({ ...FIXTURE_CATALOGUE, ...planned, output: `${folder}/fixture` });
    assert.equal((await conclude(`${folder}/fixture`)).kind, "missing");
    await assert.rejects(
      concludeFolder({
        folder: new URL("file:///nowhere/"),
        output: `${folder}/fixture`,
        places,
        signingKey: generateSigningKey,
      }),
      UserError,
    );
  }));
