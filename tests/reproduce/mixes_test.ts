/** A reproduction with a mix of the user's files, and losses by document, from the plan to retraining. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { parseCurves } from "../../src/results/curves_schema.ts";
import { documentLosses } from "../../src/results/document_losses.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { retrain, type RetrainingOptions } from "../../src/retrain/retrain.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { FIXTURE_CATALOGUE } from "../experiment/plan/plan_fixture.ts";
import { SHIFT } from "../experiment/arm/shift_fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { DATA_CACHE, kernelCache, reproduceSmoke } from "./smoke.ts";

Deno.test("reproduce() trains on a mix of the user's files, states it, keeps losses by document, and retrain() needs the very files", () =>
  withFolder(async (folder) => {
    const path = `${folder}/german.txt`;
    const text = (word: string) => Array.from({ length: 4000 }, (_, i) => `${word} ${i} steht hier.\n\n`).join("");
    await Deno.writeTextFile(path, text("Satz"));
    await Deno.mkdir(`${folder}/experiments`);
    await Deno.writeTextFile(`${folder}/experiments/shift.yaml`, SHIFT);
    const output = `${folder}/out`;
    const ownExperiments = new URL(`file://${folder}/experiments/`);
    const catalogue = { folder: new URL(`file://${folder}/catalogue/`) };
    await copyFolder(FIXTURE_CATALOGUE.folder, catalogue.folder);
    const scale = new URL("scales/smoke.yaml", catalogue.folder);
    const smoke = (await Deno.readTextFile(scale)).replace(
      "evaluationWindows: 8",
      "evaluationWindows: 8\nlandmarkWindows: 900",
    );
    await Deno.writeTextFile(scale, smoke);
    const paper = await loadPaper({ ...catalogue, ownExperiments });
    const { plan } = await reproduceSmoke(output, 1, {
      ...catalogue,
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
    const curves = plan.runs.map(({ label }) =>
      parseCurves(Deno.readTextFileSync(`${output}/runs/${label}/curves.json`), label)
    );
    for (const curve of curves) {
      const whole = curve.points.filter(({ documents }) => documents !== undefined);
      deepEqual(whole.map(({ step }) => step).includes(0), true);
      const losses = documentLosses(curve, whole[0] ?? {}, "upstream");
      deepEqual(losses?.domains.map(({ name }) => name), ["node", "typescript"]);
      equal(losses?.documents.reduce((sum, { tokens }) => sum + tokens, 0), 900 * 32);
      const sampled = curve.validation?.upstream.sampledDocuments ?? [];
      equal(sampled.reduce((sum, { tokens }) => sum + tokens, 0), 8 * 32);
      equal(curve.points.every((point) => point.sampledDocuments?.upstream.length === sampled.length), true);
    }
    notEqual(curves[0]?.validation?.downstream.documents?.length, curves[1]?.validation?.downstream.documents?.length);
    const stepOf = async (more: Partial<RetrainingOptions>) => {
      const { report } = await retrain(`${output}/manifest.dsse.json`, { ...options, ...more });
      return report.steps.find(({ name }) => name === "retrain")?.detail ?? "";
    };
    equal((await stepOf({})).includes("--mix strong=PATH"), true);
    await Deno.writeTextFile(path, text("Wort"));
    equal((await stepOf({ mixFiles: { strong: [path] } })).includes('mix "strong"'), true);
  }));

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [
      new URL(`${name}${isDirectory ? "/" : ""}`, from),
      new URL(`${name}${isDirectory ? "/" : ""}`, to),
    ];
    await (isDirectory ? copyFolder(source, target) : Deno.copyFile(source, target));
  }
}
