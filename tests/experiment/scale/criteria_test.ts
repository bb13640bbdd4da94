import { deepEqual, equal, ok } from "node:assert/strict";
import { textSupply } from "../../../src/data/text_supply.ts";
import { describeCorpora } from "../../../src/data/corpora.ts";
import { corpusOptions } from "../../../src/data/scale_corpora.ts";
import { loadScale } from "../../../src/experiment/catalogue.ts";
import { formatBounds, formatCriteria, formatRatio, scaleCriteria } from "../../../src/experiment/scale/criteria.ts";
import type { Scale } from "../../../src/experiment/scale/scale.ts";
import { FIXTURE_CATALOGUE } from "../plan/plan_fixture.ts";

const paper = await loadScale("paper");
/** As version 0.2 had it. */
const earlierTiny = await loadScale("tiny", FIXTURE_CATALOGUE.folder);

const valuesOf = (scale: Scale, supply?: Parameters<typeof scaleCriteria>[1]) =>
  Object.fromEntries(
    scaleCriteria(scale, supply).map(({ id, ours, holds }) => [id, [ours && formatRatio(ours), holds]]),
  );

Deno.test("scaleCriteria() finds the paper's scale to have the paper's values, and within all bounds", async () => {
  for (const { id, ours, paper: stated, holds } of scaleCriteria(paper, await textSupply(paper))) {
    if (stated === undefined) equal(ours, undefined, id);
    else equal(formatRatio(ours ?? NaN), formatRatio(stated), id);
    ok(holds !== false, id);
  }
});

Deno.test("scaleCriteria() finds the earlier tiny, whose results hid forgetting, outside most bounds", async () => {
  deepEqual(valuesOf(earlierTiny, await textSupply(earlierTiny)), {
    "tokens-per-parameter": ["22.4", false],
    "continuing-to-pretraining": ["0.525", false],
    "decay-over-horizon": ["0.315", false],
    "warmup-to-memory": ["0.525", false],
    "repetitions": ["1.45", true],
    "overlap": [undefined, undefined],
  });
});

Deno.test("scaleCriteria() counts the overlap of the main family, and repetitions of the domain read most often", () => {
  const data: Scale["data"] = {
    kind: "embedded",
    tokenizer: "bytes",
    upstream: { node: 1, typescript: 3 },
    downstream: "mix",
    mixes: { mix: { node: 18, typescript: 2 } },
  };
  const supply = {
    upstream: [{ weight: 3, tokens: 1e6 }],
    downstream: [{ weight: 9, tokens: 2_150_400 * 0.9 }, { weight: 1, tokens: 2_150_400 / 50 }],
  };
  const values = valuesOf({ ...earlierTiny, data }, supply);
  deepEqual(values["overlap"], ["10", false]);
  deepEqual(values["repetitions"], ["5", false]);
});

Deno.test("textSupply() is within five per cent of what the corpora have", async () => {
  for (const scale of [earlierTiny, await loadScale("tiny")]) {
    const supply = await textSupply(scale);
    const corpora = await describeCorpora(corpusOptions(scale, {}));
    for (const name of ["upstream", "downstream"] as const) {
      const tokens = (supply?.[name] ?? []).reduce((sum, { tokens }) => sum + tokens, 0);
      const found = corpora[name].tokens.train;
      ok(Math.abs(tokens / found - 1) < 0.05, `${scale.name} ${name}: ${tokens}, found ${found}`);
    }
  }
});

Deno.test("formatCriteria() shows values, bounds and whether they hold", () => {
  const text = formatCriteria(scaleCriteria(earlierTiny));
  ok(/tokens of pre-training a parameter +22\.4 +740 +≥ 74 +no/.test(text), text);
  ok(/most repeated text is read in a phase +not counted/.test(text), text);
  equal(formatBounds({ least: 0.9, most: 2 }), "0.9 to 2");
});
