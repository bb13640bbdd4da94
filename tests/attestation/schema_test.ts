import assert from "node:assert/strict";
import { propertiesOf, VERIFIER_ID } from "../../src/attestation/predicate.ts";
import { attestationSchema } from "../../src/attestation/schema.ts";
import { ATTESTED_STEPS, retrainingOf, stepNameOf } from "../../src/attestation/signed_words.ts";
import { stepsOf, VERIFIERS } from "../../src/attestation/verifiers.ts";
import { VERIFICATION_STEPS } from "../../src/manifest/verify/verification_report.ts";

const page = Deno.readTextFileSync(new URL("../../docs/manifest.md", import.meta.url));
const [, example = ""] = /## Attestations[\s\S]*?```json5\n([\s\S]*?)```/.exec(page) ?? [];

Deno.test("docs/manifest.md shows an attestation of this form, with the properties that follow from it", () => {
  const { predicate } = attestationSchema.parse(JSON.parse(example));
  assert.deepEqual(predicate.rewarm.steps.map(({ name }) => name), ATTESTED_STEPS);
  assert.deepEqual(predicate.properties, propertiesOf(predicate.rewarm.steps, retrainingOf(predicate.rewarm)));
});

Deno.test("the newest verifier names the steps of today: others need another name, or old attestations are misread", () => {
  assert.equal(VERIFIERS.at(-1)?.id, VERIFIER_ID);
  assert.deepEqual(stepsOf(VERIFIER_ID), ATTESTED_STEPS);
  assert.deepEqual(ATTESTED_STEPS.map(stepNameOf), VERIFICATION_STEPS);
});

Deno.test("VERIFIERS keep what every earlier name stood for", () => {
  assert.equal(
    stepsOf("https://rewarm.dev/verifier/v1")?.join(" "),
    "size envelope signature signer type schema subjects consistency artefacts plan journals curves claims " +
      "attestations replay",
  );
  assert.equal(new Set(VERIFIERS.map(({ id }) => id)).size, VERIFIERS.length);
  assert.equal(stepsOf("https://rewarm.dev/verifier/v0"), undefined);
});
