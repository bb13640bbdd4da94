import assert from "node:assert/strict";
import { DATA_LOCK_PATH } from "../../src/data/data_lock.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { ARITHMETIC_VERSION } from "../../src/engine/ordered/arithmetic.ts";
import { UserError } from "../../src/errors.ts";
import { generateSigningKey } from "../../src/manifest/keys/keys.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import type { ReproduceEvents } from "../../src/reproduce/options.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { Interrupted } from "../../src/train/run_environment.ts";
import type { RunResult } from "../../src/train/train_plan.ts";
import { digestOf, GOLDEN, reproduceSmoke, statesDigestOf } from "./smoke.ts";
import { withFolder } from "../temporary_folder.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";

/** Calls `use` with the path of an output folder that is yet to be made. */
async function withOutput(use: (folder: string) => Promise<void>): Promise<void> {
  await withFolder((folder) => use(`${folder}/out`));
}

function statesOf(result: RunResult): unknown {
  return result.kind === "trained" ? result.record.states : undefined;
}

/** States of the manifest that version 0.1 left: no later version may find others. */
function statesOfVersion1(label: string): unknown {
  const record = new URL(`../fixtures/manifests/v1/runs/${encodeURIComponent(label)}/run.json`, import.meta.url);
  return JSON.parse(Deno.readTextFileSync(record)).states;
}

Deno.test(`reproduce() finds the golden digest of ${GOLDEN.arithmetic} when it runs smoke on any number of threads`, async () => {
  assert.equal(ARITHMETIC_VERSION, GOLDEN.arithmetic);
  for (const threads of [1, 2, 3]) {
    await withOutput(async (folder) => {
      const result = await reproduceSmoke(folder, threads);
      assert.equal(statesDigestOf(result), GOLDEN.states, `${threads} threads`);
      assert.equal(digestOf(result), GOLDEN.digest, `${threads} threads`);
      assert.deepEqual(result.results.map(statesOf), result.results.map(({ run }) => statesOfVersion1(run.label)));
    });
  }
});

Deno.test("reproduce() leaves a manifest that verifies, and trains nothing when it is called again", async () => {
  await withOutput(async (folder) => {
    const first = await reproduceSmoke(folder, 2);
    const paper = await loadPaper(FIXTURE_CATALOGUE);
    const report = await verifyManifestFile(first.manifestPath, { judge: paperJudge(paper.text, PAPER_FILE) });
    assert.equal(report.verdict, "verified", JSON.stringify(report.steps));

    const second = await reproduceSmoke(folder, 2);
    assert(second.results.every((result) => result.kind === "trained" && result.origin === "found"));
    assert.equal(digestOf(second), digestOf(first));
    assert.deepEqual(second.verdicts, first.verdicts);
  });
});

Deno.test("reproduce() keeps a manifest that would differ by its time alone, and what was attested of it holds", async () => {
  await withOutput(async (folder) => {
    const key = await generateSigningKey();
    const options = { only: ["upstream"], signingKey: () => Promise.resolve(key) };
    const { manifestPath } = await reproduceSmoke(folder, 2, { ...options, command: ["reproduce"] });
    const first = await Deno.readTextFile(manifestPath);
    await reproduceSmoke(folder, 2, { ...options, command: ["reproduce", "--again"] });
    assert.equal(await Deno.readTextFile(manifestPath), first);

    await reproduceSmoke(folder, 2, { ...options, signingKey: generateSigningKey });
    const other = await Deno.readTextFile(manifestPath);
    assert.notEqual(other, first);
    await reproduceSmoke(folder, 2, { ...options, only: ["upstream", "from-scratch"] });
    assert.notEqual(await Deno.readTextFile(manifestPath), other);
    await Deno.writeTextFile(manifestPath, "{}");
    await reproduceSmoke(folder, 2, options);
    assert.equal((await verifyManifestFile(manifestPath)).steps.find(({ name }) => name === "signature")?.status, "ok");
  });
});

Deno.test("reproduce() ends with the golden digest when it is interrupted again and again", async () => {
  await withOutput(async (folder) => {
    let interruptions = 0;
    for (let stopAfter = 3;; stopAfter += 17) {
      const controller = new AbortController();
      let reports = 0;
      try {
        const result = await reproduceSmoke(folder, 2, {
          signal: controller.signal,
          events: {
            onProgress: () => {
              if (++reports === stopAfter) controller.abort();
            },
          },
        });
        assert(interruptions >= 3, `only ${interruptions} interruptions`);
        assert.equal(digestOf(result), GOLDEN.digest);
        return;
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        interruptions++;
      }
    }
  });
});

Deno.test("reproduce() prolongs runs to the golden digest when a part of the plan was trained first", async () => {
  await withOutput(async (folder) => {
    const part = await reproduceSmoke(folder, 2, { only: ["warmup-length", "same-data/2x"] });
    assert.equal(part.results.length, 6);
    assert.equal(digestOf(await reproduceSmoke(folder, 2)), GOLDEN.digest);
  });
});

Deno.test("reproduce() goes on from an older checkpoint, and says so, when the newest one is damaged", async () => {
  await withOutput(async (folder) => {
    await reproduceSmoke(folder, 2, { only: ["upstream"] });
    const run = `${folder}/runs/upstream_pretrain_seed-0`;
    const newest = `${run}/checkpoints/step-000064.safetensors`;
    const bytes = await Deno.readFile(newest);
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    await Deno.writeFile(newest, bytes);
    const warnings: string[] = [];
    const result = await reproduceSmoke(folder, 2, { events: { onWarning: (warning) => warnings.push(warning) } });
    assert.match(warnings.join("\n"), /step 64 cannot be resumed from.*has the digest/);
    assert.equal(digestOf(result), GOLDEN.digest);
  });
});

Deno.test("reproduce() refuses a folder that holds another plan's runs", async () => {
  await withOutput(async (folder) => {
    await reproduceSmoke(folder, 2, { only: ["upstream"] });
    const files = ["README.md", "docs/arithmetic.md"];
    await assert.rejects(
      reproduceSmoke(folder, 2, { only: ["upstream"], files: { upstream: files, downstream: files } }),
      (error) => error instanceof UserError,
    );
  });
});

Deno.test("reproduce() refuses a scale whose data are not at hand", async () => {
  await withOutput(async (folder) => {
    await assert.rejects(reproduceSmoke(folder, 2, { scale: "paper" }), {
      code: "NOT_LOCKED",
      message: /run "deno task data lock" first/,
    });
  });
});

Deno.test("reproduce() signs nothing where a journal was changed between training and signing", () =>
  withOutput(async (folder) => {
    const only = ["warmup-length/0%"];
    const onRun: ReproduceEvents["onRun"] = ({ run }) => {
      const journal = `${folder}/runs/${run.label}/journal.jsonl`;
      Deno.writeTextFileSync(journal, Deno.readTextFileSync(journal).replace('"loss":"40', '"loss":"41'));
    };
    await assert.rejects(
      reproduceSmoke(folder, 1, { only, events: { onRun } }),
      (error) => error instanceof UserError && error.code === "JOURNAL_CHANGED",
    );
    assert.throws(() => Deno.statSync(`${folder}/manifest.dsse.json`), Deno.errors.NotFound);
    const { manifestPath } = await reproduceSmoke(folder, 1, { only });
    assert.equal((await verifyManifestFile(manifestPath)).steps.find(({ name }) => name === "journals")?.status, "ok");
  }));

Deno.test("reproduce() states the digests that files had before training, whatever becomes of them meanwhile", () =>
  withOutput(async (folder) => {
    const lockFile = `${folder}.yaml`;
    const text = await Deno.readTextFile(DATA_LOCK_PATH);
    await Deno.writeTextFile(lockFile, text);
    const { manifestPath } = await reproduceSmoke(folder, 1, {
      only: ["upstream"],
      lockFile,
      events: { onPlan: () => Deno.writeTextFileSync(lockFile, `${text}# changed while runs are trained\n`) },
    });
    const { statement } = await verifyManifestFile(manifestPath);
    const lock = statement?.predicate.inputs.find(({ name }) => name === DATA_LOCK_PATH);
    assert.equal(lock?.sha256, sha256(text));
  }));
