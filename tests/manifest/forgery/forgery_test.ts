/** Manifests that a forger made to fit their lies: none is verified that contradicts what is listed as checked. */
import assert from "node:assert/strict";
import { formatVerification } from "../../../src/manifest/verify/verification_report.ts";
import { forge } from "../fixture.ts";
import { maker } from "../fuzz_fixture.ts";
import { campaign } from "./campaign.ts";
import { fit } from "./fit.ts";
import { honestDraft, verifyForgery } from "./honest.ts";
import { Random } from "./lies.ts";
import { CHECKED, contradiction, TRUTHS } from "./truths.ts";

Deno.test("TRUTHS says what must be true of every member that is listed as checked, and of no other", () => {
  assert.deepEqual(Object.keys(TRUTHS).sort(), [...CHECKED].sort());
});

Deno.test("the honest manifest is verified, and contradicts nothing", async () => {
  const draft = honestDraft();
  for (let tries = 0; tries < 3; tries++) await fit(draft, new Random(tries));
  const report = await verifyForgery(await forge(draft.statement, maker), draft.artefacts);
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.equal(await contradiction(draft.statement, draft.artefacts), undefined);
});

const FORGERIES = 600;
Deno.test(`verifyManifest() verifies no forgery that contradicts what is listed as checked (${FORGERIES} forgeries)`, async () => {
  const { verdicts, failures } = await campaign(1, FORGERIES);
  assert((verdicts.verified ?? 0) > FORGERIES / 20, JSON.stringify(verdicts));
  for (
    const step of ["schema", "subjects", "consistency", "artefacts", "plan", "journals", "curves", "claims", "report"]
  ) {
    assert((failures[step] ?? 0) > 0, `no forgery fails step "${step}": ${JSON.stringify(failures)}`);
  }
});
