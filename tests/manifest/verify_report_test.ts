/** The page beside a manifest: rendered again, and compared byte for byte. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { formatVerification, type VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { checkReport } from "../../src/manifest/verify/verify_report.ts";
import type { VerifyOptions } from "../../src/manifest/verify/verify_options.ts";
import { manifestPage } from "../../src/report/manifest_page.ts";
import { manifestRenderer } from "../../src/report/manifest_renderer.ts";
import { type Bundle, memoryArtefacts, testJudge } from "./fixture.ts";
import { makeBundleWithPage, pageEvidence, paper, withPage } from "./page_fixture.ts";

const bundle = await makeBundleWithPage();
const page = new TextDecoder().decode(bundle.artefacts.get("report.html"));
const renderer = manifestRenderer(paper.text);

function verify({ envelope, artefacts }: Bundle, options: VerifyOptions = { renderer }): Promise<VerificationReport> {
  return verifyManifest(new TextEncoder().encode(envelope), memoryArtefacts(artefacts), {
    judge: testJudge,
    ...options,
  });
}

function stepOf({ steps }: VerificationReport) {
  return steps.find(({ name }) => name === "report") ?? assert.fail("no such step");
}

Deno.test("verifyManifest() renders the page again from the verified data, and finds the same bytes", async () => {
  const report = await verify(bundle);
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.equal(stepOf(report).status, "ok");
  assert.doesNotMatch(report.caveats.join(), /page/);
});

const FORGERIES: [name: string, forged: string][] = [
  ["a script of its own", page.replace("</body>", "<script>alert('reproduced')</script></body>")],
  ["another policy", page.replace("default-src", "script-src")],
  ["another verdict", page.replace("Every run ends", "No run ends")],
  ["a space more", `${page} `],
  ["another page", "<!doctype html><title>All claims reproduced</title>"],
  ["nothing", ""],
];
for (const [name, forged] of FORGERIES) {
  Deno.test(`verifyManifest() fails a page with ${name}, though its maker signed it`, async () => {
    assert.notEqual(forged, page);
    const report = await verify(await withPage(bundle, forged));
    assert.equal(report.verdict, "failed");
    assert.deepEqual([stepOf(report).status, report.exitCode], ["failed", 1]);
    assert.match(stepOf(report).detail, /"report\.html" is not the page that the manifest's data give/);
  });
}

Deno.test("verifyManifest() names a page as unchecked that another renderer made, or that it cannot render", async () => {
  const forged = await withPage(bundle, "<script>", "rewarm report v0");
  const cases: [Bundle, VerifyOptions, RegExp][] = [
    [forged, { renderer }, /made by renderer "rewarm report v0", and the one here is "rewarm report v\d+"/],
    [forged, {}, /no renderer is at hand/],
    [bundle, {}, /no renderer is at hand/],
  ];
  for (const [signed, options, reason] of cases) {
    const report = await verify(signed, options);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.deepEqual(stepOf(report).status, "not checked");
    assert.match(
      report.caveats.join("\n"),
      new RegExp(`^What the page beside the manifest shows: .*${reason.source}`, "m"),
    );
  }
});

Deno.test("verifyManifest() draws no page before everything that it shows is good", async () => {
  let drawn = 0;
  const counting = { ...renderer, render: () => Promise.resolve(String(drawn++)) };
  const artefacts = new Map(bundle.artefacts);
  artefacts.delete("plan.json");
  const report = await verify({ ...bundle, artefacts }, { renderer: counting });
  assert.deepEqual([report.verdict, stepOf(report).status, drawn], ["could not check", "not checked", 0]);
});

Deno.test("manifestRenderer() takes the rules that were signed, whatever rules are at hand", async () => {
  const { paper: _, ...evidence } = await pageEvidence(bundle);
  const other = manifestRenderer(`${paper.text}\n# another version`);
  assert.equal(await other.render({ ...evidence, rules: paper.text }), page);
  assert.equal(await other.render(evidence), undefined);
  assert.equal(await renderer.render(evidence), page);
});

Deno.test("manifestPage() gives the same bytes whatever order members stand in", async () => {
  const evidence = await pageEvidence(bundle);
  const reversed = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(reversed);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reversed(item)] as const).reverse());
  };
  const { predicate, plan } = evidence;
  const other = { ...evidence, predicate: reversed(predicate), plan: reversed(plan) } as typeof evidence;
  assert.equal(manifestPage(other), page);
});

Deno.test("verifyManifest() draws no page of more arms than it has time and memory for, and names it as unchecked", async () => {
  const { paper: _, ...evidence } = await pageEvidence(bundle);
  const [run = assert.fail()] = evidence.plan.runs;
  const usedBy = [{ experiment: "a", arm: "b", seedIndex: 0, steps: 1 }];
  const runs = Array.from({ length: 1001 }, () => ({ ...run, usedBy }));
  const large = { ...evidence, plan: { ...evidence.plan, runs } };
  const report = { name: "report.html", sha256: sha256(page), rendererVersion: renderer.version };
  const drawn = { ...renderer, render: () => Promise.reject(new Error("drawn")) };
  assert.deepEqual(await checkReport(large, report, drawn), {
    status: "not checked",
    detail:
      `the page shows 1001 arms with ${1001 * (evidence.curves.get(run.key)?.points.length ?? 0)} points, and is ` +
      "drawn again for at most 1000 with 300000",
  });
});
