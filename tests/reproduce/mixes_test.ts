/** A reproduction with a mix of the user's files, from the plan to retraining. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { retrain, type RetrainingOptions } from "../../src/retrain/retrain.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan_fixture.ts";
import { SHIFT } from "../experiment/shift_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { DATA_CACHE, kernelCache, reproduceSmoke } from "./smoke.ts";

Deno.test("reproduce() trains on a mix of the user's files, states it, and retrain() needs the very files", () =>
  withFolder(async (folder) => {
    const path = `${folder}/german.txt`;
    const text = (word: string) => Array.from({ length: 4000 }, (_, i) => `${word} ${i} steht hier.\n\n`).join("");
    await Deno.writeTextFile(path, text("Satz"));
    await Deno.mkdir(`${folder}/experiments`);
    await Deno.writeTextFile(`${folder}/experiments/shift.yaml`, SHIFT);
    const output = `${folder}/out`;
    const ownExperiments = new URL(`file://${folder}/experiments/`);
    const paper = await loadPaper({ ...FIXTURE_CATALOGUE, ownExperiments });
    const { plan } = await reproduceSmoke(output, 1, {
      ownExperiments,
      mixFiles: { strong: [path] },
      only: ["shift/strong"],
    });
    const options: RetrainingOptions = {
      pieces: { kind: "all" },
      engine: () => createExactEngine({ threads: 1, sha256, cache: kernelCache }),
      dataCache: DATA_CACHE,
      judge: paperJudge(paper.text, PAPER_FILE),
    };
    const found = await retrain(`${output}/manifest.dsse.json`, { ...options, mixFiles: { strong: [path] } });
    equal(found.retrained.length, found.choice?.total, formatVerification(found.report));
    const corpora = found.report.statement?.predicate.corpora;
    const strong = corpora?.mixes?.["strong"]?.digest;
    deepEqual(Object.keys(corpora?.mixes ?? {}), ["strong"]);
    deepEqual(plan.data.mixes, { strong });
    notEqual(strong, corpora?.downstream.digest);
    const stepOf = async (more: Partial<RetrainingOptions>) => {
      const { report } = await retrain(`${output}/manifest.dsse.json`, { ...options, ...more });
      return report.steps.find(({ name }) => name === "retrain")?.detail ?? "";
    };
    equal((await stepOf({})).includes("--mix strong=PATH"), true);
    await Deno.writeTextFile(path, text("Wort"));
    equal((await stepOf({ mixFiles: { strong: [path] } })).includes('mix "strong"'), true);
  }));
