/** What `data` fetches is what a plan with the same choices reads. */
import assert from "node:assert/strict";
import { filesFor, formatFetches, parsePart, type Use, usesOf, usesOfAll } from "../../src/cli/data_uses.ts";
import { lockId } from "../../src/data/hub/lock.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import { planScale, type ScaleOptions } from "../../src/experiment/plan/plan_scale.ts";
import type { Scale } from "../../src/experiment/scale/scale.ts";
import { userError } from "../data/user_error.ts";

type Choices = Pick<ScaleOptions, "changes" | "readings" | "start">;

/** The scale that a plan is made at, which is what `data` looks at. */
async function scaleOf(choices: Choices): Promise<Scale> {
  return (await planScale({ scale: "paper", ...choices })).scale;
}

/** The lockfile's ids of what is used, by part. */
const idsOf = (uses: readonly Use[]) => uses.map(({ part, repository }) => `${part}: ${lockId(repository)}`);

Deno.test("usesOf() names datasets, tokenizer and the paper's three checkpoints, as they are read", async () => {
  const paper = await loadScale("paper");
  assert.deepEqual(idsOf(usesOf(paper)), [
    "upstream: datasets/EleutherAI/pile-standard-pythia-preshuffled",
    "upstream: datasets/mit-han-lab/pile-val-backup",
    "downstream: datasets/cerebras/SlimPajama-627B",
    "tokenizer: models/EleutherAI/gpt-neox-20b",
    "start: models/EleutherAI/pythia-410m@step10000",
    "start: models/EleutherAI/pythia-410m@step27000",
    "start: models/EleutherAI/pythia-410m@step143000",
  ]);
  const deduplicated = await scaleOf({ readings: { pile: "deduplicated" } });
  assert.deepEqual(idsOf(usesOfAll([deduplicated], "start")).slice(1), [
    "start: models/EleutherAI/pythia-410m-deduped@step27000",
    "start: models/EleutherAI/pythia-410m-deduped@step143000",
  ]);
  for (const start of ["train", "files"] as const) {
    const uses = usesOf(await scaleOf({ start }));
    assert.deepEqual(uses.map(({ part }) => part), ["upstream", "upstream", "downstream", "tokenizer"]);
  }
  assert.deepEqual(usesOf(await loadScale("tiny")), []);
});

Deno.test("usesOfAll() has the smallest scale first, and one part alone where it is asked for", async () => {
  const scales = await Promise.all(["paper", "tiny", "small", "medium"].map((name) => loadScale(name)));
  const uses = usesOfAll(scales, "tokenizer");
  assert.deepEqual(uses.map(({ scale }) => scale.name), ["small", "medium", "paper"]);
  assert.equal(parsePart("start"), "start");
  assert.throws(() => parsePart("upstraem"), userError("UNKNOWN_CORPUS", 'did you mean "upstream"?'));
});

Deno.test("filesFor() takes as much text as the chosen scale reads, and all of a checkpoint", async () => {
  const files = Array.from({ length: 20 }, (_, i) => ({ path: `train/${i}.bin`, bytes: 1e6, sha256: sha256(`${i}`) }));
  const commit = "0".repeat(40);
  const pin = { revision: commit, files: 20, bytes: 20e6, listing: sha256(""), trusted: "2026-11-23" };
  const locked = {
    id: "datasets/some/data",
    repository: { kind: "dataset", name: "some/data", revision: commit },
    pin,
    files,
  } as const;
  const counted = async (choices: Choices) =>
    usesOf(await scaleOf(choices)).map((use) => `${use.part} ${filesFor(use, locked).length}`).slice(0, 5);
  assert.deepEqual(await counted({}), [
    "upstream 20",
    "upstream 20",
    "downstream 20",
    "tokenizer 20",
    "start 20",
  ]);
  const few = { changes: { model: "pythia-14m", tokens: 2e6 } } as const;
  assert.deepEqual(await counted(few), ["upstream 1", "upstream 1", "downstream 5", "tokenizer 20", "start 20"]);
});

Deno.test("formatFetches() lists text by tokens and checkpoints by size, and nothing where nothing is needed", async () => {
  const text = formatFetches(usesOf(await scaleOf({})));
  assert.match(text, /upstream +datasets\/EleutherAI\/pile-standard-pythia-preshuffled {2}50\.0G tokens/);
  assert.match(text, /downstream +datasets\/cerebras\/SlimPajama-627B {2}297G tokens/);
  assert.match(text, /start +models\/EleutherAI\/pythia-410m@step27000 {2}about 811 MB as fp16, 1\.62 GB imported/);
  assert.equal(formatFetches(usesOf(await loadScale("tiny"))), "");
});
