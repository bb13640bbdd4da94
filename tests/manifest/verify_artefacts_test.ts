/** Artefacts of a manifest: there, missing, altered, and judged by whose key signed them. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { UserError } from "../../src/errors.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import type { VerifyOptions } from "../../src/manifest/verify/verify_options.ts";
import { toBits64 } from "../../src/train/journal/journal_record.ts";
import { journalText, testJudge } from "./fixture.ts";
import {
  artefactText,
  bundle,
  encoder,
  expect,
  folder,
  plainRun,
  replaced,
  resigned,
  trusted,
  verify,
} from "./verify_fixture.ts";

Deno.test("verifyManifest() finds one flipped bit in any artefact", async () => {
  for (const [name, bytes] of bundle.artefacts) {
    const flipped = bytes.slice();
    const place = bytes.length >> 1;
    flipped[place] = (flipped[place] ?? 0) ^ 1;
    const report = await verify({ artefacts: replaced(name, flipped) });
    expect(report, "artefacts", "failed", /was changed: its digest is/);
    assert.ok(report.steps.find((step) => step.name === "artefacts")?.detail.includes(`"${name}"`));
  }
});

Deno.test("verifyManifest() could not check where an artefact is missing or cannot be read", async () => {
  for (const name of bundle.artefacts.keys()) {
    const report = await verify({ artefacts: replaced(name, undefined) });
    expect(report, "artefacts", "not checked", /17 of 18 artefacts re-hashed and found as signed; missing: /);
    assert.equal(report.verdict, "could not check");
  }
  const denied = {
    open(): AsyncIterable<Uint8Array> {
      throw new UserError("PERMISSION_DENIED", "Cannot read");
    },
  };
  const report = await verifyManifest(encoder.encode(bundle.envelope), denied, { judge: testJudge });
  expect(report, "artefacts", "not checked", /Cannot read/);
  const linked = {
    open(): AsyncIterable<Uint8Array> {
      throw new UserError("UNSAFE_PATH", "leads out of the folder");
    },
  };
  expect(await verifyManifest(encoder.encode(bundle.envelope), linked), "artefacts", "failed", /leads out/);
});

Deno.test("verifyManifest() does without checkpoints if it is told so, and says so", async () => {
  const artefacts = new Map([...bundle.artefacts].filter(([name]) => !name.includes("checkpoints/")));
  expect(await verify({ artefacts }), "artefacts", "not checked", /missing: /);
  const report = await verify({ artefacts, options: { withoutCheckpoints: true } });
  assert.equal(report.verdict, "verified");
  assert.match(report.caveats.join(" "), /What \d+ checkpoints hold: they are not there/);
  artefacts.delete("report.html");
  expect(
    await verify({ artefacts, options: { withoutCheckpoints: true } }),
    "artefacts",
    "not checked",
    /report\.html/,
  );
});

Deno.test("verifyManifest() judges an edited curve by the key: signed anew by another, it is refused", async () => {
  const name = `${folder}/curves.json`;
  const artefacts = replaced(name, artefactText(name).replace('"downstream":2.89', '"downstream":1.89'));
  expect(
    await verify({ artefacts, options: { trustedKeys: trusted } }),
    "artefacts",
    "failed",
    /curves\.json" was changed/,
  );
  const envelope = await resigned(artefacts);
  expect(await verify({ envelope, artefacts, options: { trustedKeys: trusted } }), "signer", "failed", /another key/);
  // Without a trusted key the journal still betrays it, and where the journal is made to fit, the claims do.
  const reason = /downstream loss at step 11 is 1\.89, and the journal records 2\.89/;
  expect(await verify({ envelope, artefacts }), "curves", "failed", reason);
  const journal = journalText(
    plainRun,
    Infinity,
    (r) => r.kind === "evaluation" && r.step === 11 ? { ...r, downstream: toBits64(1.89) } : r,
  );
  const fitting = new Map([...artefacts, [`${folder}/journal.jsonl`, encoder.encode(journal.text)]]);
  const signed = await resigned(fitting, (s) => s.predicate.runs[1].journal.root = journal.root);
  const claims = /claim "ends" has numbers .* and the curves give/;
  expect(await verify({ envelope: signed, artefacts: fitting }), "claims", "failed", claims);
});

Deno.test("verifyManifest() gives the judge the rules that were signed, where they are an artefact as it was", async () => {
  const artefacts = new Map([...bundle.artefacts, ["paper.yaml", encoder.encode("the rules")]]);
  const envelope = await resigned(artefacts, (statement) => {
    statement.subject.push({ name: "paper.yaml", digest: { sha256: sha256("the rules") } });
    statement.predicate.paper.name = "paper.yaml";
  });
  const seen: (string | undefined)[] = [];
  const judge: NonNullable<VerifyOptions["judge"]> = (evidence) => {
    seen.push(evidence.rules);
    return testJudge(evidence);
  };
  assert.equal((await verify({ envelope, artefacts, options: { judge } })).verdict, "verified");
  assert.equal((await verify({ options: { judge } })).verdict, "verified");
  artefacts.set("paper.yaml", encoder.encode("other rules"));
  assert.equal((await verify({ envelope, artefacts, options: { judge } })).verdict, "failed");
  assert.deepEqual(seen, ["the rules", undefined, undefined]);
});
