/** Evidence that is published: made of a reproduction of the moment, and the one that lies in `evidence/`. */
import assert from "node:assert/strict";
import { createExactEngine } from "../../src/engine/exact/engine.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { paperJudge } from "../../src/results/paper_judge.ts";
import { loadRules, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { compareWithEvidence } from "../../src/reproduce/published_evidence.ts";
import { publishEvidence } from "../../src/reproduce/publish_evidence.ts";
import { replan } from "../../src/reproduce/replan.ts";
import { retrain } from "../../src/retrain/retrain.ts";
import { EXPERIMENTS_FOLDER } from "../../src/experiment/catalogue.ts";
import { withFolder } from "../temporary_folder.ts";
import { DATA_CACHE, kernelCache, reproduceSmoke } from "../reproduce/smoke.ts";

const digest = (text: string) => sha256(text);

/** What a retraining of one random segment needs. */
async function retrainOne(path: string, publicKey: string) {
  const rules = await loadRules();
  return await retrain(path, {
    judge: paperJudge(rules, PAPER_FILE),
    replan: (plan, inputs) => replan(plan, inputs),
    trustedKeys: [{ name: "publisher", key: await readVerifyingKey(publicKey) }],
    withoutCheckpoints: true,
    pieces: { kind: "random", count: 1 },
    engine: () => createExactEngine({ threads: 2, sha256, cache: kernelCache }),
    dataCache: DATA_CACHE,
  });
}

Deno.test("published evidence verifies and retrains, and whoever reproduces it is told of the same bits", async () => {
  await withFolder(async (folder) => {
    const output = `${folder}/out`;
    const evidence = `${folder}/evidence`;
    const { results } = await reproduceSmoke(output, 2, { folder: EXPERIMENTS_FOLDER });
    const records = results.flatMap((result) => result.kind === "trained" ? [result.record] : []);
    assert.equal(await compareWithEvidence(evidence, "smoke", records), undefined);

    const places = { dataCache: DATA_CACHE };
    const command = ["evidence", output];
    const published = await publishEvidence({ output, evidence, places, command });
    assert.ok(published !== undefined);
    assert.deepEqual(published.bundle.checkpoints.taken, 1);
    const key = await readVerifyingKey(`${evidence}/smoke/public-key.pem`);
    assert.equal(key.keyId, published.keyId);
    assert.deepEqual(
      await Deno.readFile(`${evidence}/smoke/report.html`),
      await Deno.readFile(`${output}/report.html`),
    );

    const comparison = await compareWithEvidence(evidence, "smoke", records);
    assert.deepEqual(comparison, {
      path: `${evidence}/smoke/bundle.tar`,
      comparable: records.length,
      agreeing: records.length,
      firstOther: undefined,
    });
    const [first, second, ...others] = records;
    assert.ok(first !== undefined && second !== undefined);
    const changed = { ...second, journalRoot: digest("other") };
    const differing = await compareWithEvidence(evidence, "smoke", [first, changed, ...others]);
    assert.deepEqual([differing?.agreeing, differing?.firstOther], [records.length - 1, second.label]);
    const key0 = digest("another engine's") as typeof first.key;
    assert.equal(await compareWithEvidence(evidence, "smoke", [{ ...first, key: key0 }]), undefined);

    const { report, retrained } = await retrainOne(`${evidence}/smoke/bundle.tar`, `${evidence}/smoke/public-key.pem`);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.equal(retrained.length, 1);
  });
});

const EVIDENCE = "evidence/tiny";
const isPublished = await Deno.stat(`${EVIDENCE}/bundle.tar`).then(() => true, () => false);

Deno.test({
  name: "evidence/tiny verifies with its key, its page is the bundle's, and a random segment gives the recorded bits",
  ignore: !isPublished,
  fn: async () => {
    const { report, retrained } = await retrainOne(`${EVIDENCE}/bundle.tar`, `${EVIDENCE}/public-key.pem`);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.equal(report.statement?.predicate.seeds.count, 3);
    assert.equal(report.statement?.predicate.report?.sha256, sha256(await Deno.readFile(`${EVIDENCE}/report.html`)));
    assert.equal(retrained.length, 1);
  },
});
