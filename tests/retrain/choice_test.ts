import assert from "node:assert/strict";
import fc from "fast-check";
import { philox } from "../../src/arithmetic/philox.ts";
import { chooseSegments, detectionProbability, drawSeed, parseSeed, worthOf } from "../../src/retrain/choice.ts";
import { parseSegment, type Segment, segmentName, segmentsOf } from "../../src/retrain/segment.ts";
import type { ManifestRun, TrainedRun } from "../../src/manifest/format/run.ts";

const SEED = "000102030405060708090a0b0c0d0e0f";

function fakeRun(label: string, steps: number, states: number[], diverged = false): TrainedRun {
  return {
    key: label.padEnd(64, "0"),
    label,
    outcome: diverged ? "diverged" : "completed",
    specification: { batchSequences: 4, model: { sequenceLength: 8 } },
    journal: { steps },
    states: states.map((step) => ({ step })),
  } as unknown as TrainedRun;
}

const runs: ManifestRun[] = [
  fakeRun("aaaa", 40, [0, 16, 32]),
  fakeRun("abcd", 16, [0, 16]),
  { ...fakeRun("skipped", 0, []), outcome: "skipped" } as unknown as ManifestRun,
  fakeRun("dddd", 32, [0, 16, 32], true),
];
const segments = segmentsOf(runs);

Deno.test("segmentsOf() covers every step of every trained run once, tails and divergences included", () => {
  assert.deepEqual(segments.map((segment) => [segmentName(segment), segment.tokens, segment.diverges]), [
    ["aaaa:0..16", 512, false],
    ["aaaa:16..32", 512, false],
    ["aaaa:32..40", 256, false],
    ["abcd:0..16", 512, false],
    ["dddd:0..16", 512, false],
    ["dddd:16..32", 512, false],
    ["dddd:32..32", 32, true],
  ]);
  const [early] = segmentsOf([fakeRun("eeee", 20, [0, 16], true)]).slice(-1);
  assert.deepEqual([early?.from, early?.to, early?.tokens, early?.diverges], [16, 20, 160, true]);
});

Deno.test("parseSegment() finds runs by label or beginning of key, and refuses what is not within the run", () => {
  assert.equal(segmentName(parseSegment("aaaa:3..5", runs)), "aaaa:3..5");
  assert.equal(segmentName(parseSegment("abcd00:0..16", runs)), "abcd:0..16");
  assert.throws(() => parseSegment("aaab:0..1", runs), { code: "UNKNOWN_RUN", message: /did you mean "aaaa"/ });
  assert.throws(() => parseSegment("skipped:0..1", runs), { code: "UNKNOWN_RUN" });
  for (const text of ["aaaa", "aaaa:5..5", "aaaa:6..5", "aaaa:0..41", "aaaa:-1..5"]) {
    assert.throws(() => parseSegment(text, runs), { code: "BAD_SEGMENT" }, text);
  }
});

Deno.test("chooseSegments() draws what docs/verification.md says, computed here from Philox", () => {
  const block = new Uint32Array(4);
  const left = [...segments];
  const drawn: Segment[] = [];
  for (let draw = 0; draw < 3; draw++) {
    philox([0x00010203, 0x04050607], [draw, 0x08090a0b, 0x0c0d0e0f, 7], block);
    const total = left.reduce((sum, { tokens }) => sum + tokens, 0);
    let ticket = Number(((BigInt(block[0] ?? 0) << 32n) + BigInt(block[1] ?? 0)) * BigInt(total) / 2n ** 64n);
    const index = left.findIndex(({ tokens }) => (ticket -= tokens) < 0);
    drawn.push(...left.splice(index, 1));
  }
  const expected = segments.filter((segment) => drawn.includes(segment)).map(segmentName);
  assert.deepEqual(chooseSegments(segments, 3, SEED).map(segmentName), expected);
});

Deno.test("chooseSegments() gives its golden choice for a seed", () => {
  assert.deepEqual(chooseSegments(segments, 3, SEED).map(segmentName), ["aaaa:0..16", "aaaa:16..32", "abcd:0..16"]);
  assert.deepEqual(chooseSegments(segments, 1, "f".repeat(32)).map(segmentName), ["abcd:0..16"]);
});

Deno.test("chooseSegments() draws distinct segments in the order of the manifest, all when there are no more", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (count, number) => {
      const chosen = chooseSegments(segments, count, number.toString(16).padStart(32, "0"));
      assert.equal(chosen.length, Math.min(count, segments.length));
      const places = chosen.map((segment) => segments.indexOf(segment));
      assert.deepEqual(places, [...new Set(places)].sort((a, b) => a - b));
    }),
    { seed: 5, numRuns: 200 },
  );
});

Deno.test("chooseSegments() draws each segment as often as its tokens say", () => {
  const draws = 8000;
  const counts = new Map<Segment, number>();
  for (let index = 0; index < draws; index++) {
    const [segment] = chooseSegments(segments, 1, index.toString(16).padStart(32, "0"));
    assert(segment !== undefined);
    counts.set(segment, (counts.get(segment) ?? 0) + 1);
  }
  const total = segments.reduce((sum, { tokens }) => sum + tokens, 0);
  // Pearson's statistic; 22.46 is the 99.9th percentile of chi-squared with 6 degrees of freedom.
  const statistic = segments.reduce((sum, segment) => {
    const expected = draws * segment.tokens / total;
    return sum + ((counts.get(segment) ?? 0) - expected) ** 2 / expected;
  }, 0);
  assert(statistic < 22.46, String(statistic));
});

Deno.test("detectionProbability() is at most the share of choices that hit altered segments", () => {
  const altered = new Set(segments.slice(1, 3));
  const total = segments.reduce((sum, { tokens }) => sum + tokens, 0);
  const share = [...altered].reduce((sum, { tokens }) => sum + tokens, 0) / total;
  let hits = 0;
  const draws = 4000;
  for (let index = 0; index < draws; index++) {
    const chosen = chooseSegments(segments, 2, (index + 10_000).toString(16).padStart(32, "0"));
    if (chosen.some((segment) => altered.has(segment))) hits++;
  }
  const bound = detectionProbability(share, 2);
  assert(hits / draws > bound, `${hits / draws} ${bound}`);
});

Deno.test("worthOf() states the probability for 1, 5 and 10 %, and certainty when everything is repeated", () => {
  const many = Array.from({ length: 100 }, (): Segment => ({ ...segments[0]! }));
  assert.match(worthOf(many, 5), /4\.9 % for p = 1\.0 %, 23 % for p = 5\.0 %, 41 % for p = 10 %/);
  assert.match(worthOf(segments, segments.length), /any would have been caught/);
});

Deno.test("parseSeed() takes 32 digits and nothing else", () => {
  assert.equal(parseSeed("00AB".repeat(8)), "00ab".repeat(8));
  for (const text of ["", "12", "g".repeat(32), "0".repeat(33)]) {
    assert.throws(() => parseSeed(text), { code: "BAD_RETRAIN_SEED" });
  }
  assert.notEqual(parseSeed(drawSeed()), drawSeed());
});
