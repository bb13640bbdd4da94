import assert from "node:assert/strict";
import fc from "fast-check";
import { readAttestation } from "../../src/attestation/read.ts";
import { requireAttestations } from "../../src/attestation/require.ts";
import { VERIFICATION_STEPS } from "../../src/manifest/verify/verification_report.ts";
import { forge } from "../manifest/fixture.ts";
import { ada, alan, attestation, bundle, CHOICES, fileOf, grace, loose, manifest, sealed, verify } from "./fixture.ts";

const honest = await attestation(CHOICES.drawn);
const good = await sealed(honest, ada);
const { payload } = JSON.parse(new TextDecoder().decode(good));

/** Bytes put in the place of others. */
type Edit = { at: number; removed: number; inserted: Uint8Array };

const edits = fc.array(
  fc.record<Edit>({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat(8),
    inserted: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom('"', "{", "}", "[", ",", "=", "A", " ", "\\u0000").map((text) => new TextEncoder().encode(text)),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

function applyEdits(bytes: Uint8Array, changes: readonly Edit[]): Uint8Array {
  return changes.reduce((current, { at, removed, inserted }) => {
    const place = Math.floor(at * current.length);
    return Uint8Array.of(...current.subarray(0, place), ...inserted, ...current.subarray(place + removed));
  }, bytes);
}

Deno.test("readAttestation() never takes another payload, whatever happens to the envelope", async () => {
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const changed = applyEdits(good, changes);
      const found = await readAttestation(changed, ada, manifest);
      // White space around members may change, and so may members that are not looked at.
      if (typeof found === "object") assert.equal(JSON.parse(new TextDecoder().decode(changed)).payload, payload);
    }),
    { numRuns: 1500 },
  );
});

Deno.test("readAttestation() never throws, whatever a payload says that a reviewer signed, and takes none of others", async () => {
  const text = new TextEncoder().encode(JSON.stringify(honest));
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const changed = new TextDecoder().decode(applyEdits(text, changes));
      await readAttestation(await forge(changed, ada), ada, manifest);
      assert.equal(typeof await readAttestation(await forge(changed, alan), ada, manifest), "string");
    }),
    { numRuns: 500 },
  );
});

/** Every value in a JSON document that is no list or object, with what leads to it. */
function leaves(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
}

/** Words that no step follows from: what the reviewer says of the machine, the time, and in sentences. */
const FREE = /timeCreated|\.(tool\.version|environment|caveats|worth|detail)|subject\.0\.name/;

Deno.test("readAttestation() never takes a statement of which a value with meaning was altered, though the reviewer signed it", async () => {
  const paths = leaves(honest).filter((path) => !FREE.test(path.join(".")));
  assert.ok(paths.length > 40);
  const values = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      "",
      "0".repeat(64),
      "ok",
      "failed",
      "not checked",
      "all",
      "named",
      "repeated",
      true,
      [],
    ),
    fc.constantFrom(...VERIFICATION_STEPS),
    fc.integer({ min: -2, max: 30 }),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), values, async (path, value) => {
      const forged = loose(honest);
      let parent = forged;
      for (const key of path.slice(0, -1)) parent = parent[key];
      const last = path.at(-1) ?? "";
      // Whether the seed was drawn or given, only the reviewer can say.
      const isClaim = value === "repeated" && last === "pieces";
      const isSame = parent[last] === value;
      parent[last] = value;
      const found = await readAttestation(await sealed(forged, ada), ada, manifest);
      assert.equal(typeof found === "object", isSame || isClaim, path.join("."));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("requireAttestations() is met exactly by as many honest reviewers as it asks for", async () => {
  const keys = [ada, grace, alan, bundle.key];
  const reviewers = keys.map((key, index) => ({ name: `reviewer ${index}`, key }));
  const other = loose(honest);
  other.subject[0].digest.sha256 = "0".repeat(64);
  const states = ["honest", "missing", "of another manifest", "another's", "damaged"] as const;
  const files = await Promise.all(keys.map(async (key) => ({
    honest: await sealed(honest, key),
    "of another manifest": await sealed(other, key),
    "another's": await sealed(honest, key === ada ? grace : ada),
    damaged: (await sealed(honest, key)).map((byte, index) => index === 200 ? byte ^ 1 : byte),
  })));
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(...keys.map(() => fc.constantFrom(...states))),
      fc.integer({ min: 1, max: 4 }),
      async (chosen, count) => {
        const there = keys.flatMap((key, index) => {
          const state = chosen[index] ?? "missing";
          return state === "missing" ? [] : [fileOf(key, files[index]?.[state] ?? new Uint8Array())];
        });
        const countAttestations = requireAttestations({ count, reviewers });
        const { verdict, reviews = [] } = await verify({ countAttestations }, new Map(there));
        // The last of them signed the manifest, and counts as nothing.
        const honestOnes = chosen.slice(0, 3).filter((state) => state === "honest").length;
        assert.equal(reviews.filter(({ status }) => status === "counts").length, honestOnes);
        assert.equal(verdict, honestOnes >= count ? "verified" : "failed");
      },
    ),
    { numRuns: 150 },
  );
});
