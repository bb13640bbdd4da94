/** What a statement says of plan, corpora, limits and runs, held against the rest. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import type { Replan } from "../../src/manifest/verify/verify_options.ts";
import { forge } from "./fixture.ts";
import { artefactText, attacker, bundle, expect, plan, replaced, resigned, trusted, verify } from "./verify_fixture.ts";

Deno.test("verifyManifest() fails a plan that is not the one carried out", async () => {
  const text = artefactText("plan.json");
  const edited = text.replace('"seeds":1', '"seeds":2');
  const artefacts = replaced("plan.json", edited);
  expect(await verify({ envelope: await resigned(artefacts), artefacts }), "plan", "failed", /planDigest/);
  const envelope = await resigned(bundle.artefacts, (s) => s.predicate.runs.pop());
  expect(await verify({ envelope }), "consistency", "failed", /claim "ends" points to run/);
  const unclaimed = await resigned(bundle.artefacts, (s) => {
    s.predicate.runs.pop();
    s.predicate.claims = [];
  });
  expect(
    await verify({ envelope: unclaimed }),
    "plan",
    "failed",
    /run "warmup-length_1%_seed-0" of the plan is not in the manifest/,
  );
  const garbage = replaced("plan.json", "[]");
  expect(await verify({ envelope: await resigned(garbage), artefacts: garbage }), "plan", "failed", /plan\.json/);
  for (
    const [change, step, reason] of [
      // deno-lint-ignore no-explicit-any -- a forger is bound by no type
      [(p: any) => p.scale = "tiny", "plan", /for scale "smoke"/],
      // deno-lint-ignore no-explicit-any -- the same
      [(p: any) => p.corpora.upstream.digest = sha256("x"), "consistency", /another upstream corpus/],
      // deno-lint-ignore no-explicit-any -- the same
      [(p: any) => p.engine.arithmetic = "9", "consistency", /computed by test\/1 .* the manifest says 9/],
    ] as const
  ) {
    expect(
      await verify({ envelope: await resigned(bundle.artefacts, (s) => change(s.predicate)) }),
      step,
      "failed",
      reason,
    );
  }
});

Deno.test("formatVerification() shows no control characters out of a hostile manifest", async () => {
  const envelope = await forge({ ...bundle.statement, predicateType: "\u001b[2Jhttps://evil\u202e" }, attacker);
  const text = formatVerification(await verify({ envelope }));
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\u0000-\u001f\u202e]/);
  assert.match(text, /^Failed: type$/m);
});

Deno.test("verifyManifest() fails a plan that the signed experiments do not give, and says where they are others", async () => {
  const planDigest = plan.planDigest;
  const given = (again: Awaited<ReturnType<Replan>>) =>
    verify({ options: { trustedKeys: trusted, replan: () => Promise.resolve(again) } });
  const same = await given({ isSame: true, planDigest });
  assert.equal(same.verdict, "verified");
  assert.match(
    same.steps.find(({ name }) => name === "plan")?.detail ?? "",
    /experiments of this version give the same plan/,
  );
  for (const other of [sha256("another plan"), undefined]) {
    expect(await given({ isSame: true, planDigest: other }), "plan", "failed", /give another plan for scale "smoke"/);
    const unknown = await given({ isSame: false, planDigest: other });
    assert.equal(unknown.verdict, "verified");
    assert.match(unknown.caveats.join(" "), /every arm trains what its name says/);
  }
});

Deno.test("verifyManifest() fails summaries of corpora that cannot be, or that the curves contradict", async () => {
  const summary = (change: (facts: Record<string, string>) => void, name = "upstream") =>
    resigned(bundle.artefacts, (s) => change(s.predicate.corpora[name].summary));
  for (const name of ["upstream", "downstream"]) {
    for (const unit of ["validation bytes", "validation tokens"]) {
      const envelope = await summary((facts) => facts[unit] = "64001", name);
      expect(await verify({ envelope }), "curves", "failed", new RegExp(`bytes a token of the ${name} corpus`));
    }
  }
  const cases: [(facts: Record<string, string>) => void, RegExp][] = [
    [(facts) => delete facts["train windows"], /upstream corpus has no count of its train windows/],
    [(facts) => facts["train tokens"] = "0x10", /no count of its train tokens/],
    [(facts) => facts["train tokens"] = "-1", /no count of its train tokens/],
    [(facts) => facts["share of another"] = "0.5", /shares that make 0\.75 together/],
    [(facts) => facts["share of another"] = "NaN", /a member of another kind/],
    [(facts) => facts["quality"] = "1", /a member of another kind/],
  ];
  for (const [change, reason] of cases) {
    expect(await verify({ envelope: await summary(change) }), "consistency", "failed", reason);
  }
});

Deno.test("verifyManifest() fails limits that do not follow from plan, runs and data, in this version's words", async () => {
  const limits = (change: (predicate: { limits: string[]; tool: { version: string } }) => void) =>
    resigned(bundle.artefacts, (s) => change(s.predicate));
  expect(await verify({ envelope: await limits((p) => p.limits.pop()) }), "plan", "failed", /does not state the limit/);
  const more = await limits((p) => p.limits.push("Nothing is left open."));
  expect(await verify({ envelope: more }), "plan", "failed", /limits that do not follow/);
  const other = await verify({
    envelope: await limits((p) => {
      p.limits.pop();
      p.tool.version = "9.0.0";
    }),
  });
  assert.equal(other.verdict, "verified", formatVerification(other));
  assert.match(other.caveats.join("\n"), /^In which words limits, and reasons of skips, are given/m);
});

Deno.test("verifyManifest() names runs that were found or resumed, and whether any of them was retrained", async () => {
  const origins = (change: (runs: { origin: string; retrained: unknown }[]) => void) =>
    resigned(bundle.artefacts, (s) => change(s.predicate.runs));
  const found = await verify({
    envelope: await origins((runs) => {
      for (const run of runs) run.origin = "found";
      Object.assign(runs[0] ?? {}, { origin: "resumed", retrained: [{ fromStep: 0, toStep: 16 }] });
    }),
  });
  assert.equal(found.verdict, "verified", formatVerification(found));
  const caveats = found.caveats.join("\n");
  assert.match(caveats, /^That 3 of 4 runs \(warmup.*\) were trained at all: .*: nothing of them was retrained/m);
  assert.match(
    caveats,
    /^That 1 of 4 runs \(upstream_pretrain_seed-0\) were trained from .*: pieces of 1 of them were/m,
  );
  assert.doesNotMatch((await verify()).caveats.join("\n"), /^That \d of 4 runs/m);
});
