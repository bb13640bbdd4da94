import assert from "node:assert/strict";
import { propertiesOf, VERIFIER_ID, VERIFIER_STEPS } from "../../src/attestation/predicate.ts";
import { attestationSchema } from "../../src/attestation/schema.ts";
import { VERIFICATION_STEPS } from "../../src/manifest/verification_report.ts";

const page = Deno.readTextFileSync(new URL("../../docs/manifest.md", import.meta.url));
const [, example = ""] = /## Attestations[\s\S]*?```json5\n([\s\S]*?)```/.exec(page) ?? [];

Deno.test("docs/manifest.md shows an attestation of this form, with the properties that follow from it", () => {
  const { predicate } = attestationSchema.parse(JSON.parse(example));
  assert.deepEqual(predicate.rewarm.steps.map(({ name }) => name), [...VERIFICATION_STEPS]);
  assert.deepEqual(predicate.properties, propertiesOf(predicate.rewarm.steps, predicate.rewarm.replay));
});

Deno.test("each VerifierId names its steps: others need another name, so that old attestations are not misread", () => {
  assert.equal(VERIFIER_ID, "https://rewarm.dev/verifier/v2");
  const common =
    "size envelope signature signer type schema subjects consistency artefacts plan journals curves claims";
  assert.deepEqual(Object.entries(VERIFIER_STEPS).map(([id, steps]) => [id, steps.join(" ")]), [
    ["https://rewarm.dev/verifier/v1", `${common} attestations replay`],
    ["https://rewarm.dev/verifier/v2", `${common} report attestations replay`],
  ]);
});
