/**
 * Fuzzing of manifests: whatever becomes of an envelope or of what it says, nothing else than what was signed is ever
 * verified, the report is whole, and nothing is thrown. Seeds are fixed: what is found is found again.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import type { VerificationReport } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { applyByteEdits, byteEdits } from "../fuzz/byte_edits.ts";
import { applyJsonEdit, JSON_EDIT_KINDS, jsonEdit, type Place, placesOf, valueAt } from "../fuzz/json_edits.ts";
import { forge, loose, memoryArtefacts, testJudge } from "./fixture.ts";
import {
  assertSubjects,
  attacker,
  boundPart,
  bundle,
  failedStep,
  maker,
  otherBundle,
  report,
  trustedKeys,
} from "./fuzz_fixture.ts";

const encoder = new TextEncoder();
const signedBytes = encoder.encode(bundle.envelope);

/** A verified payload says what was signed, in all that a signer is not free in, and the report says the same. */
function assertSameStatement(payload: string, { statement }: VerificationReport): void {
  const said = JSON.parse(payload);
  assert.equal(canonicalJson(statement), canonicalJson(said));
  assert.equal(boundPart(said), boundPart(bundle.statement));
  assertSubjects(said, bundle.artefacts);
}

const ENVELOPE_BYTES = 2500;
Deno.test(`verifyManifest() never verifies another payload, whatever bytes of the envelope change (${ENVELOPE_BYTES} envelopes)`, async () => {
  const { payload } = JSON.parse(bundle.envelope);
  await fc.assert(
    fc.asyncProperty(byteEdits, async (edits) => {
      const changed = applyByteEdits(signedBytes, edits);
      const { verdict } = await report(changed, bundle.artefacts, { trustedKeys });
      // White space around members may change, and so may members that DSSE does not know.
      if (verdict === "verified") assert.equal(JSON.parse(new TextDecoder().decode(changed)).payload, payload);
    }),
    { numRuns: ENVELOPE_BYTES, seed: 1 },
  );
});

const ENVELOPE_JSON = 1500;
Deno.test(`verifyManifest() never verifies another payload, whatever members of the envelope change (${ENVELOPE_JSON} envelopes)`, async () => {
  const envelope = JSON.parse(bundle.envelope);
  const places = placesOf(envelope);
  await fc.assert(
    fc.asyncProperty(jsonEdit, async (edit) => {
      const { text, refused } = applyJsonEdit(envelope, places, edit);
      const found = await report(encoder.encode(text), bundle.artefacts, { trustedKeys });
      if (refused) assert.equal(failedStep(found), "envelope");
      if (found.verdict !== "verified") return;
      const { payload, payloadType, signatures } = JSON.parse(text);
      assert.deepEqual([payload, payloadType], [envelope.payload, envelope.payloadType]);
      assert(signatures.some(({ sig }: { sig: string }) => sig === envelope.signatures[0].sig));
    }),
    { numRuns: ENVELOPE_JSON, seed: 2 },
  );
});

/** Who signs a changed payload: a stranger, or the very key that the verifier trusts. */
const signers = fc.constantFrom(
  { key: attacker, options: {} },
  { key: maker, options: { trustedKeys } },
);

const PAYLOAD_BYTES = 2000;
Deno.test(`verifyManifest() verifies no other meaning, whatever bytes of a signed payload change (${PAYLOAD_BYTES} payloads)`, async () => {
  const payload = encoder.encode(canonicalJson(bundle.statement));
  await fc.assert(
    fc.asyncProperty(byteEdits, signers, async (edits, { key, options }) => {
      const changed = applyByteEdits(payload, edits);
      const text = new TextDecoder().decode(changed);
      const found = await report(await forge(text, key), bundle.artefacts, options);
      if (found.verdict === "verified") assertSameStatement(text, found);
    }),
    { numRuns: PAYLOAD_BYTES, seed: 3 },
  );
});

/** Members of a statement in which any name may stand. */
const FREE = ["description", "libraries", "summary"];

const PAYLOAD_JSON = 3000;
Deno.test(`verifyManifest() verifies no other meaning, whatever values of a signed payload change (${PAYLOAD_JSON} payloads)`, async () => {
  const { statement } = bundle;
  const places = placesOf(statement);
  const failures = new Map<string, number>();
  const unfailed = new Set<string>();
  await fc.assert(
    fc.asyncProperty(jsonEdit, signers, async (edit, { key, options }) => {
      const { text, place, refused } = applyJsonEdit(statement, places, edit);
      const found = await report(await forge(text, key), bundle.artefacts, options);
      const step = failedStep(found);
      failures.set(step, (failures.get(step) ?? 0) + 1);
      if (refused) assert.equal(step, "type", "more than one reading is refused before its meaning");
      if (edit.kind === "add" && typeof place.at(-1) === "string" && !place.some((key) => FREE.includes(String(key)))) {
        assert.notEqual(found.verdict, "verified", `an unknown member beside ${place.join(".")}`);
      }
      if (found.verdict !== "verified") return;
      unfailed.add(edit.kind);
      assertSameStatement(text, found);
    }),
    { numRuns: PAYLOAD_JSON, seed: 4 },
  );
  // The changes reach every step that looks at what a statement says, and some of them may well be made.
  for (const step of ["type", "schema", "subjects", "consistency", "plan", "journals", "claims"]) {
    assert(failures.has(step), `no change failed step "${step}": ${[...failures.keys()]}`);
  }
  assert(unfailed.size > 3 && unfailed.size < JSON_EDIT_KINDS.length, [...unfailed].join());
});

/** What makes a second name out of a subject's name: the same file on some system, or one outside the folder. */
const SECOND_NAMES: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.replace("s", "\u017f"),
  (name) => name.replace("k", "\u212a"),
  (name) => `./${name}`,
  (name) => `../bundle/${name}`,
  (name) => `runs/../${name}`,
  (name) => `/${name}`,
  (name) => `\\\\?\\${name}`,
  (name) => name.replace("/", "\\"),
  (name) => name.replace("/", "//"),
  (name) => `${name}.`,
  (name) => `${name} `,
  (name) => `${name}\0`,
  (name) => `${name}:stream`,
  (name) => `${name}\n`,
  () => "/dev/zero",
  () => "NUL",
  () => "com1.safetensors",
  () => "file:///etc/passwd",
  () => "\ud800",
  () => "",
  (name) => `${"a/".repeat(600)}${name}`,
];

const SUBJECT_NAMES = 500;
Deno.test(`verifyManifest() opens nothing where a subject leads elsewhere or stands twice (${SUBJECT_NAMES} payloads)`, async () => {
  const { subject } = bundle.statement;
  const opened: string[] = [];
  const artefacts = {
    open(name: string) {
      opened.push(name);
      return memoryArtefacts(bundle.artefacts).open(name);
    },
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...subject),
      fc.constantFrom(...SECOND_NAMES),
      fc.nat(subject.length),
      async ({ name, digest }, secondName, at) => {
        const second = secondName(name);
        const forged = loose(bundle.statement);
        forged.subject.splice(at, 0, { name: second, digest });
        const found = await verifyManifest(await forge(forged, attacker), artefacts, { judge: testJudge });
        assert(["type", "schema", "subjects"].includes(failedStep(found)), `"${second}" fails ${failedStep(found)}`);
      },
    ),
    { numRuns: SUBJECT_NAMES, seed: 5 },
  );
  assert.deepEqual(opened, []);
});

const PIECES = 700;
Deno.test(`verifyManifest() verifies no mixture of two valid manifests (${PIECES} mixtures)`, async () => {
  const isIn = (document: unknown) => {
    const known = new Set(placesOf(document).map((place) => JSON.stringify(place)));
    return (place: Place) => known.has(JSON.stringify(place));
  };
  const shared = placesOf(bundle.statement).filter(isIn(otherBundle.statement))
    .filter((place) =>
      canonicalJson(valueAt(bundle.statement, place)) !== canonicalJson(valueAt(otherBundle.statement, place))
    );
  const names = [...bundle.artefacts.keys()];
  assert(shared.length > 100 && names.every((name) => otherBundle.artefacts.has(name)));
  const whole = [bundle, otherBundle].map(({ statement }) => boundPart(statement));
  let verified = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...shared), { maxLength: 3 }),
      fc.oneof(fc.constant([]), fc.subarray(names), fc.constant(names)),
      async (places, strangers) => {
        const forged = loose(bundle.statement);
        for (const place of places) {
          const parent = valueAt(forged, place.slice(0, -1)) as Record<string | number, unknown>;
          parent[place.at(-1) ?? ""] = valueAt(loose(otherBundle.statement), place);
        }
        const artefacts = new Map(bundle.artefacts);
        for (const name of strangers) artefacts.set(name, otherBundle.artefacts.get(name) ?? new Uint8Array());
        const found = await report(await forge(forged, maker), artefacts, { trustedKeys });
        if (found.verdict !== "verified") return;
        verified++;
        assert(whole.includes(boundPart(forged)));
        assertSubjects(forged, artefacts);
      },
    ),
    { numRuns: PIECES, seed: 6 },
  );
  assert(verified > 0 && verified < PIECES / 2, `${verified}`);
  const [own, other] = [JSON.parse(bundle.envelope), JSON.parse(otherBundle.envelope)];
  for (const envelope of [{ ...own, payload: other.payload }, { ...own, signatures: other.signatures }]) {
    assert.equal(failedStep(await report(encoder.encode(JSON.stringify(envelope)), bundle.artefacts)), "signature");
  }
});

const ONE_VALUE = 1000;
/** What follows from something else in the manifest or the artefacts, so that no part of it can be altered alone. */
const BOUND = ["subject", "predicate.scale", "predicate.plan", "predicate.runs", "predicate.claims", "predicate.seeds"];
Deno.test(`verifyManifest() never verifies a run, claim or subject of which one value was altered, whoever signed it (${ONE_VALUE} payloads)`, async () => {
  const leaves = placesOf(bundle.statement)
    .filter((place) => typeof valueAt(bundle.statement, place) !== "object")
    .filter((place) => BOUND.some((bound) => place.join(".").startsWith(bound)));
  assert(leaves.length > 200);
  const values = fc.oneof(
    fc.constantFrom<unknown>(null, "", "0".repeat(64), "completed", "plan.json", true, [], {}),
    fc.integer({ min: -2, max: 70 }),
    fc.double(),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...leaves), values, signers, async (place, value, { key, options }) => {
      const forged = loose(bundle.statement);
      const parent = valueAt(forged, place.slice(0, -1)) as Record<string | number, unknown>;
      const last = place.at(-1) ?? "";
      const before = parent[last];
      parent[last] = typeof before === "number" && typeof value === "number" ? before + value : value;
      const isSame = JSON.stringify(forged) === JSON.stringify(bundle.statement);
      const { verdict } = await report(await forge(forged, key), bundle.artefacts, options);
      assert.equal(verdict === "verified", isSame, place.join("."));
    }),
    { numRuns: ONE_VALUE, seed: 7 },
  );
});
