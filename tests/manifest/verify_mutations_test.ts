import assert from "node:assert/strict";
import fc from "fast-check";
import { generateSigningKey } from "../../src/manifest/keys.ts";
import { VERIFICATION_STEPS, type VerificationReport } from "../../src/manifest/verification_report.ts";
import { verifyManifest, type VerifyOptions } from "../../src/manifest/verify.ts";
import { type Artefacts, forge, loose, makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const bundle = await makeBundle();
const attacker = await generateSigningKey();
const envelope = new TextEncoder().encode(bundle.envelope);
const trustedKeys = [{ name: "the maker", key: bundle.key }];

/** Whatever is verified, the report is whole and its exit code follows from its steps. */
async function report(bytes: Uint8Array, artefacts: Artefacts, options: VerifyOptions): Promise<VerificationReport> {
  const report = await verifyManifest(bytes, memoryArtefacts(artefacts), { judge: testJudge, ...options });
  assert.deepEqual(report.steps.map(({ name }) => name), [...VERIFICATION_STEPS]);
  const failed = report.steps.some(({ status }) => status === "failed");
  assert.equal(report.verdict === "failed", failed);
  assert.equal(report.exitCode, { verified: 0, failed: 1, "could not check": 2 }[report.verdict]);
  return report;
}

/** Bytes replaced, inserted, removed, or moved from elsewhere in the same text. */
type Edit = { kind: "replace" | "insert" | "remove" | "copy"; at: number; length: number; from: number; byte: number };

const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom("replace", "insert", "remove", "copy"),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 40 }),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...'{}[]",:0123456789\\'.split("").map((c) => c.charCodeAt(0)))),
  }),
  { minLength: 1, maxLength: 4 },
);

function applyEdits(bytes: Uint8Array, changes: readonly Edit[]): Uint8Array {
  return changes.reduce((current, { kind, at, length, from, byte }) => {
    const place = Math.floor(at * current.length);
    const source = Math.floor(from * current.length);
    const inserted = kind === "remove" ? [] : kind === "copy" ? current.slice(source, source + length) : [byte];
    const rest = current.subarray(kind === "insert" ? place : place + (kind === "remove" ? length : 1));
    return Uint8Array.of(...current.subarray(0, place), ...inserted, ...rest);
  }, bytes);
}

Deno.test("verifyManifest() never verifies another payload, whatever happens to the envelope", async () => {
  const { payload } = JSON.parse(bundle.envelope);
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const changed = applyEdits(envelope, changes);
      const { verdict } = await report(changed, bundle.artefacts, { trustedKeys });
      // White space around members may change, and so may members that DSSE does not know.
      if (verdict === "verified") assert.equal(JSON.parse(new TextDecoder().decode(changed)).payload, payload);
    }),
    { numRuns: 1500 },
  );
});

Deno.test("verifyManifest() never throws, whatever a payload says that someone signed", async () => {
  const payload = new TextEncoder().encode(JSON.stringify(bundle.statement));
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const text = new TextDecoder().decode(applyEdits(payload, changes));
      const { verdict } = await report(await forge(text, attacker), bundle.artefacts, { trustedKeys });
      assert.equal(verdict, "failed");
      await report(await forge(text, attacker), bundle.artefacts, {});
    }),
    { numRuns: 500 },
  );
});

Deno.test("verifyManifest() never verifies changed artefacts", async () => {
  const names = [...bundle.artefacts.keys()];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), edits, async (name, changes) => {
      const original = bundle.artefacts.get(name) ?? new Uint8Array();
      const changed = applyEdits(original, changes);
      const isSame = changed.toHex() === original.toHex();
      const { verdict } = await report(envelope, new Map([...bundle.artefacts, [name, changed]]), { trustedKeys });
      assert.equal(verdict, isSame ? "verified" : "failed");
    }),
    { numRuns: 300 },
  );
});

/** Every value in a JSON document that is no list or object, with what leads to it. */
function leaves(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
}

/** What follows from something else in the manifest or the artefacts, so that no part of it can be altered alone. */
const BOUND = ["subject", "predicate.scale", "predicate.plan", "predicate.runs", "predicate.claims", "predicate.seeds"];

Deno.test("verifyManifest() never verifies a run, claim or subject of which one value was altered, whoever signed it", async () => {
  const paths = leaves(bundle.statement).filter((path) => BOUND.some((bound) => path.join(".").startsWith(bound)));
  assert.ok(paths.length > 200);
  const values = fc.oneof(
    fc.constantFrom<unknown>(null, "", "0".repeat(64), "completed", "plan.json", true, [], {}),
    fc.integer({ min: -2, max: 70 }),
    fc.double(),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), values, async (path, value) => {
      const forged = loose(bundle.statement);
      let parent = forged;
      for (const key of path.slice(0, -1)) parent = parent[key];
      const last = path.at(-1) ?? "";
      const before = parent[last];
      parent[last] = typeof before === "number" && typeof value === "number" ? before + value : value;
      const bytes = await forge(forged, attacker);
      const isSame = JSON.stringify(forged) === JSON.stringify(bundle.statement);
      const { verdict } = await report(bytes, bundle.artefacts, {});
      assert.equal(verdict === "verified", isSame, path.join("."));
    }),
    { numRuns: 800 },
  );
});
