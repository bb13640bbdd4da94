import assert from "node:assert/strict";
import { MANIFEST_TIMESTAMP, PLAN_TIMESTAMP } from "../../src/manifest/format/companions.ts";
import type { ArtefactReader } from "../../src/manifest/verify/artefacts.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { readTarIndex } from "../../src/formats/tar/tar_index.ts";
import { checkTimestamps } from "../../src/timestamp/check.ts";
import { planMessage } from "../../src/timestamp/message.ts";
import { made, pack, writeFolder } from "../bundle/fixture.ts";
import { memoryArtefacts, testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { Authority } from "./authority.ts";

const manifest = new TextEncoder().encode(made.envelope);
const { plan, paper } = made.statement.predicate;
const authority = await Authority.create();
const roots = [authority.root];
const time = (minute: number) => new Date(Date.UTC(2026, 5, 1, 12, minute));
const PLAN_STAMP = await authority.stamp(planMessage(plan, paper), { time: time(1) });
const MANIFEST_STAMP = await authority.stamp(manifest, { time: time(2) });

/** The step of a verification with these timestamps beside the manifest, its verdict, and what it leaves open. */
async function verified(
  timestamps: Readonly<Record<string, Uint8Array>>,
  trusted?: readonly Uint8Array<ArrayBuffer>[],
): Promise<{ readonly said: string; readonly verdict: string; readonly caveats: readonly string[] }> {
  const files: ArtefactReader = memoryArtefacts(new Map([...made.artefacts, ...Object.entries(timestamps)]));
  const report = await verifyManifest(manifest, files, { judge: testJudge, timestamps: checkTimestamps(trusted) });
  const step = report.steps.find(({ name }) => name === "timestamps");
  return { said: `${step?.status}: ${step?.detail}`, verdict: report.verdict, caveats: report.caveats };
}

const WORD = "that plan and rules were fixed before training is the maker's word";
const BOTH = 'plan and rules existed by 2026-06-01T12:01:00.000Z, says "An authority"; ' +
  'the manifest existed by 2026-06-01T12:02:00.000Z, says "An authority"';

Deno.test("checkTimestamps() says what both timestamps show, and what they leave open", async () => {
  const both = { [PLAN_TIMESTAMP]: PLAN_STAMP, [MANIFEST_TIMESTAMP]: MANIFEST_STAMP };
  const trusted = await verified(both, roots);
  assert.equal(trusted.said, `ok: ${BOTH}`);
  assert.equal(trusted.verdict, "verified");
  assert(trusted.caveats.some((caveat) => caveat.startsWith("That training began after plan and rules were")));
  const open = await verified(both);
  assert.equal(open.said, `not checked: ${BOTH}; whose word that is worth is open without --timestamp-roots`);
  assert.equal(open.verdict, "verified");
});

Deno.test("checkTimestamps() says whose word it is that rules were fixed before training, where no timestamp says so", async () => {
  const none = await verified({});
  assert.equal(
    none.said,
    `not checked: there is no timestamp of plan and rules, and none of the manifest; ${WORD}`,
  );
  assert.equal(none.verdict, "verified");
  assert.equal((await verified({}, roots)).verdict, "could not check");
  const half = await verified({ [MANIFEST_TIMESTAMP]: MANIFEST_STAMP }, roots);
  assert.equal(half.verdict, "could not check");
  assert.match(half.said, /^not checked: there is no timestamp of plan and rules; the manifest existed by .*word$/);
});

for (
  const { what, timestamps, reason } of [
    {
      what: "of another plan",
      timestamps: { [PLAN_TIMESTAMP]: await authority.stamp(planMessage({ ...plan, sha256: paper.sha256 }, paper)) },
      reason: /the timestamp of plan and rules is of something else: .*; the manifest existed by .*word$/,
    },
    {
      what: "of other rules",
      timestamps: { [PLAN_TIMESTAMP]: await authority.stamp(planMessage(plan, { ...paper, sha256: plan.sha256 })) },
      reason: /the timestamp of plan and rules is of something else: /,
    },
    {
      what: "of another manifest",
      timestamps: { [MANIFEST_TIMESTAMP]: await authority.stamp(new TextEncoder().encode(`${made.envelope} `)) },
      reason: /the timestamp of the manifest is of something else: /,
    },
    {
      what: "in the other's place",
      timestamps: { [PLAN_TIMESTAMP]: MANIFEST_STAMP },
      reason: /the timestamp of plan and rules is of something else: /,
    },
    {
      what: "later than the manifest's",
      timestamps: { [PLAN_TIMESTAMP]: await authority.stamp(planMessage(plan, paper), { time: time(3) }) },
      reason:
        /plan and rules are timestamped 2026-06-01T12:03:00.000Z, after the manifest, .*not fixed before training$/,
    },
    {
      what: "that is no timestamp",
      timestamps: { [PLAN_TIMESTAMP]: new TextEncoder().encode("<html>\u0007") },
      reason: /the timestamp of plan and rules (cannot be read: |is no timestamp response)/,
    },
    {
      what: "that is far too large",
      timestamps: { [PLAN_TIMESTAMP]: new Uint8Array(1 << 20) },
      reason: /the timestamp of plan and rules cannot be read: .* has more than 65536 bytes/,
    },
  ] as { what: string; timestamps: Record<string, Uint8Array>; reason: RegExp }[]
) {
  Deno.test(`checkTimestamps() fails at a timestamp ${what} where timestamps are demanded, and else says so`, async () => {
    const all = { [PLAN_TIMESTAMP]: PLAN_STAMP, [MANIFEST_TIMESTAMP]: MANIFEST_STAMP, ...timestamps };
    const demanded = await verified(all, roots);
    assert.equal(demanded.verdict, "failed");
    assert.match(demanded.said, reason);
    const open = await verified(all);
    assert.equal(open.verdict, "verified");
    assert.match(open.said, /^not checked: /);
    assert.match(open.said, reason);
  });
}

Deno.test("bundle() takes the timestamps that are good along, and names the others", () =>
  withFolder(async (folder) => {
    await writeFolder(`${folder}/out`);
    await Deno.mkdir(`${folder}/out/timestamps`);
    await Deno.writeFile(`${folder}/out/${PLAN_TIMESTAMP}`, PLAN_STAMP);
    await Deno.writeFile(`${folder}/out/${MANIFEST_TIMESTAMP}`, PLAN_STAMP);
    await Deno.writeTextFile(`${folder}/out/timestamps/plan.tsq`, "a request is nobody's evidence");
    const options = { judge: testJudge, timestamps: checkTimestamps(roots) };
    const { path, timestamps: { taken, left } } = await pack(`${folder}/out`);
    assert.equal(taken, 1);
    assert.deepEqual(left.map(({ name }) => name), [MANIFEST_TIMESTAMP]);
    assert.match(left[0]?.reason ?? "", /^it is of something else/);
    assert.equal((await verifyManifestFile(path, options)).verdict, "could not check");
    await Deno.writeFile(`${folder}/out/${MANIFEST_TIMESTAMP}`, MANIFEST_STAMP);
    await pack(`${folder}/out`);
    const inBundle = [...(await readTarIndex(path)).keys()].filter((name) => name.includes("/timestamps/"));
    assert.deepEqual(inBundle.map((name) => name.slice(name.indexOf("/") + 1)), [MANIFEST_TIMESTAMP, PLAN_TIMESTAMP]);
    const report = await verifyManifestFile(path, options);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert(!report.caveats.some((caveat) => caveat.includes("the manifest does not name")), "they are no strangers");
  }));
