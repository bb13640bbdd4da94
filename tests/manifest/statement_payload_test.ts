import assert from "node:assert/strict";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { PREDICATE_TYPE, STATEMENT_TYPE } from "../../src/manifest/format/predicate.ts";
import { readStatementPayload } from "../../src/manifest/format/statement_payload.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifest } from "../../src/manifest/verify/verify.ts";
import { forge, loose, makeBundle, memoryArtefacts, testJudge } from "./fixture.ts";

const encoder = new TextEncoder();
const statement = { _type: STATEMENT_TYPE, predicateType: "https://example.com/a/v1", subject: [], predicate: {} };

function read(payload: unknown, ...predicateTypes: string[]) {
  const bytes = encoder.encode(typeof payload === "string" ? payload : canonicalJson(payload));
  const envelope = { payloadType: "application/vnd.in-toto+json", payload: bytes, signatures: [] };
  return readStatementPayload(envelope, ...predicateTypes);
}

Deno.test("readStatementPayload() takes the predicates that it is asked for, and names them otherwise", () => {
  assert.deepEqual(read(statement, "https://example.com/a/v2", "https://example.com/a/v1"), { value: statement });
  assert.equal(
    read(statement, "https://example.com/a/v2", "https://example.com/a/v3"),
    '"predicateType" is "https://example.com/a/v1", and this version knows only "https://example.com/a/v2" and ' +
      '"https://example.com/a/v3"',
  );
});

Deno.test("readStatementPayload() refuses in-toto's earlier statements by name", () => {
  const earlier = { ...statement, _type: "https://in-toto.io/Statement/v0.1" };
  assert.equal(
    read(earlier, statement.predicateType),
    '"_type" is "https://in-toto.io/Statement/v0.1", in-toto\'s statement before version 1, and only version 1 is read: ' +
      "whoever signed it has to sign it anew",
  );
  const later = { ...statement, _type: "https://in-toto.io/Statement/v2" };
  assert.match(String(read(later, statement.predicateType)), /^"_type" is ".*v2", and this version knows only ".*v1"$/);
});

const bundle = await makeBundle();
const verify = (envelope: Uint8Array) =>
  verifyManifest(envelope, memoryArtefacts(bundle.artefacts), { judge: testJudge });

/** The same statement, spelled as RFC 8785 does not spell it. */
const SPELLINGS: Readonly<Record<string, string>> = {
  "with white space": JSON.stringify(bundle.statement, null, 2),
  "with its members in another order": JSON.stringify(bundle.statement),
  "with escapes": canonicalJson(bundle.statement).replaceAll("smoke", "\\u0073moke"),
  "with other numbers": canonicalJson(bundle.statement).replace(/"threads":(\d+)/, '"threads":$1.0e0'),
};

for (const [name, payload] of Object.entries(SPELLINGS)) {
  Deno.test(`verifyManifest() reads the same statement from a payload ${name}, as DSSE allows it`, async () => {
    assert.notEqual(payload, canonicalJson(bundle.statement));
    const report = await verify(await forge(payload, bundle.key));
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.deepEqual(report.statement, bundle.statement);
  });
}

Deno.test("verifyManifest() refuses the member __proto__ wherever it stands, and takes constructor as a name", async () => {
  // deno-lint-ignore no-explicit-any -- a forger is bound by no type
  const places: Readonly<Record<string, (statement: any) => object>> = {
    "the statement": (s) => s,
    "a subject": (s) => s.subject[0],
    "a digest": (s) => s.subject[0].digest,
    "the predicate": (s) => s.predicate,
    "libraries": (s) => s.predicate.environment.libraries,
    "an engine's description": (s) => s.predicate.engine.description,
    "a corpus's summary": (s) => s.predicate.corpora.upstream.summary,
    "a run": (s) => s.predicate.runs[0],
    "a specification": (s) => s.predicate.runs[0].specification,
  };
  for (const [place, find] of Object.entries(places)) {
    for (const value of ["text", {}, { polluted: true }]) {
      const forged = loose(bundle.statement);
      Object.defineProperty(find(forged), "__proto__", { value, enumerable: true });
      const report = await verify(await forge(forged, bundle.key));
      const step = report.steps.find(({ status }) => status === "failed");
      assert.equal(step?.name, "schema", place);
      assert.match(step.detail, /__proto__/, place);
    }
  }
  const named = loose(bundle.statement);
  named.predicate.environment.libraries.constructor = "1.0";
  named.predicate.environment.libraries.toString = "1.0";
  const report = await verify(await forge(named, bundle.key));
  assert.equal(report.verdict, "verified", formatVerification(report));
  assert.equal(report.statement?.predicate.environment.libraries["constructor"], "1.0");
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.equal(report.statement?.predicateType, PREDICATE_TYPE);
});
