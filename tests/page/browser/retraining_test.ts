/** Training again in the page, with both kinds of memory: honest runs, forged ones, texts of others, pause and stop. */
import assert from "node:assert/strict";
import { bundle } from "../../../src/bundle/bundle.ts";
import { EXPERIMENTS_FOLDER } from "../../../src/experiment/catalogue.ts";
import { verifyManifestFile } from "../../../src/manifest/verify/verify_file.ts";
import type { ReproduceOptions } from "../../../src/reproduce/options.ts";
import { chooseSegments } from "../../../src/retrain/choice.ts";
import { segmentName, segmentsOf } from "../../../src/retrain/segment.ts";
import { fromBits64, toBits64 } from "../../../src/train/journal/journal_record.ts";
import { reproduceSmoke } from "../../reproduce/smoke.ts";
import { honest, plannedRun, readRecords, resign, RUN_1, withCopy, writeRecords } from "../../retrain/forgery.ts";
import { chromiumTest } from "../../interop/chromium.ts";
import { type Opening, VerifierPage } from "./verifier_page.ts";

const OPENINGS: readonly Opening[] = ["file", "isolated"];
const SEED = "0123456789abcdef0123456789abcdef";
/** More segments than there are: all of them. */
const ALL = 1000;

/** Reproduces by the project's own experiments and bundles. */
async function bundled(folder: string, options: Partial<ReproduceOptions>): Promise<string> {
  await reproduceSmoke(`${folder}/made`, 2, { folder: EXPERIMENTS_FOLDER, ...options });
  await bundle(`${folder}/made`, { output: `${folder}/made.tar` });
  return `${folder}/made.tar`;
}

/** What a seed draws, as the terminal does it. */
async function drawn(tar: string, count: number): Promise<string[]> {
  const { statement } = await verifyManifestFile(tar, {});
  assert(statement !== undefined);
  return chooseSegments(segmentsOf(statement.predicate.runs), count, SEED).map(segmentName);
}

chromiumTest(
  "segments of a smoke reproduction have the same bits, drawn by a seed as the terminal draws them",
  async (folder) => {
    const tar = await bundled(folder, { only: ["warmup-length/0%", "max-learning-rate/2x"] });
    const names = await drawn(tar, 3);
    for (const opening of ["file", "served", "isolated"] as const) {
      await using page = await VerifierPage.open(opening);
      const isShared = opening === "isolated";
      assert.equal(await page.evaluate("document.documentElement.dataset.memory"), isShared ? "shared" : "unshared");
      assert.equal(await page.evaluate("crossOriginIsolated"), isShared);
      assert.match(await page.text("engine"), isShared ? /\d+ threads share the work/ : /One thread works here/);
      await page.check(tar);
      const outcome = await page.retrain(3, SEED);
      assert.match(
        outcome,
        /^Same bits: 3 of \d+ segments retrained, \d+ steps and \d+ evaluations gave the same bits/,
      );
      const segments = await page.evaluate(
        `[...document.querySelectorAll("#segments li")].map((row) => row.textContent)`,
      ) as string[];
      assert.equal(segments.length, 3);
      segments.forEach((text, i) => assert(text.includes(`${names[i]}  same bits`), `${text}: ${names[i]}`));
      assert((await page.text("choice")).includes(`The seed of the choice is ${SEED}.`));
      assert.equal((await page.step("retrain")).mark, "ok");
      page.assertQuiet();
    }
  },
);

chromiumTest(
  "a segment of a model of the default scale's shape has the same bits with both kinds of memory",
  async (folder) => {
    const tar = await bundled(folder, {
      scale: "tiny",
      changes: { tokens: 16_384, batchSequences: 4 },
      only: ["warmup-length/0%"],
    });
    for (const opening of OPENINGS) {
      await using page = await VerifierPage.open(opening);
      assert.match(await page.check(tar), /^Verified/);
      assert.match(await page.retrain(1), /^Same bits: 1 of \d+ segments retrained/);
      // Drawn here: the seed is shown, and another one the next time.
      const [, first] = /seed of the choice is ([0-9a-f]{32})\./.exec(await page.text("choice")) ?? [];
      assert.match(await page.retrain(1), /^Same bits/);
      const [, second] = /seed of the choice is ([0-9a-f]{32})\./.exec(await page.text("choice")) ?? [];
      assert(first !== undefined && second !== undefined && first !== second, `${first} ${second}`);
      page.assertQuiet();
    }
  },
);

chromiumTest("a forged evaluation, signed and consistent, is named as the first difference", async () => {
  await withCopy(async (folder) => {
    const run = await plannedRun(folder, RUN_1);
    const records = (await readRecords(folder, RUN_1)).map((record) =>
      record.kind === "evaluation" && record.step === 24
        ? { ...record, downstream: toBits64(fromBits64(record.downstream) - 2 ** -40) }
        : record
    );
    await writeRecords(folder, RUN_1, run.key, records);
    // The page would be drawn anew by a forger; another renderer's name is as good.
    await resign(folder, ({ predicate }) => predicate.report.rendererVersion = "another");
    for (const opening of OPENINGS) {
      await using page = await VerifierPage.open(opening);
      await page.choose("folder", [folder]);
      assert.match(await page.verdict(), /^Verified/);
      const outcome = await page.retrain(ALL);
      assert(outcome.startsWith("A difference: "), outcome);
      assert.match(outcome, /warmup-length_1%_seed-0.* step 24: its curve is downstream/);
      assert.match(await page.text("verdict"), /^Failed: retrain/);
      assert.equal(await page.evaluate("document.getElementById('attest').disabled"), true);
      page.assertQuiet();
    }
  });
});

chromiumTest("training can be paused, goes on, and can be stopped", async () => {
  await using page = await VerifierPage.open("file");
  await page.choose("folder", [honest]);
  await page.verdict();
  await page.setValue("count", String(ALL));
  await page.click("retrain");
  await page.until("document.getElementById('pause').checkVisibility()");
  await page.click("pause");
  assert.equal(await page.evaluate("document.getElementById('pause').getAttribute('aria-pressed')"), "true");
  // What was under way ends; then nothing moves.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const progress = "document.getElementById('progress').value";
  const before = await page.evaluate(progress);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(await page.evaluate(progress), before);
  await page.click("pause");
  await page.until(`${progress} > ${before}`);
  await page.click("stop");
  await page.until("document.getElementById('outcome').textContent");
  assert.match(await page.text("outcome"), /^Not checked: /);
  assert.match(await page.text("verdict"), /^Could not check: retrain/);
  // And once more from the start.
  assert.match(await page.retrain(1), /^Same bits/);
  page.assertQuiet();
});

chromiumTest("texts that did not come along are asked for, and taken where they are the ones", async (folder) => {
  const [up, down] = [`${folder}/up.txt`, `${folder}/down.jsonl`];
  await Deno.writeTextFile(up, Array.from({ length: 20_000 }, (_, i) => `Text ${i} before the shift.\n\n`).join(""));
  const lines = Array.from({ length: 2000 }, (_, i) => JSON.stringify({ text: `Text ${i} after the shift.` }));
  await Deno.writeTextFile(down, lines.join("\n"));
  await Deno.writeFile(`${folder}/x.parquet`, new TextEncoder().encode("PAR1"));
  const tar = await bundled(folder, {
    only: ["warmup-length/0%"],
    files: { upstream: [up], downstream: [down] },
  });
  await using page = await VerifierPage.open("file");
  assert.match(await page.check(tar), /^Verified/);
  assert.match(
    await page.retrain(1),
    /^Not checked: The upstream corpus here has the digest .*, and the manifest's has/,
  );
  await page.choose("upstream", [up]);
  await page.choose("downstream", [`${folder}/x.parquet`]);
  assert.match(await page.retrain(1), /^Not checked: /);
  await page.choose("downstream", [down]);
  assert.match(await page.retrain(2), /^Same bits: 2 of/);
  page.assertQuiet();
});
