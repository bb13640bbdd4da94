/** Forgeries by their numbers: each a few lies, made to fit, signed by the forger's own key, and put to the verifier. */
import assert from "node:assert/strict";
import { formatVerification } from "../../../src/manifest/verify/verification_report.ts";
import { forge } from "../fixture.ts";
import { maker } from "../fuzz_fixture.ts";
import { fit } from "./fit.ts";
import { type Draft, honestDraft, verifyForgery } from "./honest.ts";
import { LIES, Random } from "./lies.ts";
import { contradiction, isHonestPlan, namesOtherExperiments } from "./truths.ts";

/** What came of a campaign. */
export interface Tally {
  /** forgeries by their verdict */
  readonly verdicts: Readonly<Record<string, number>>;
  /** forgeries by the first step that failed */
  readonly failures: Readonly<Record<string, number>>;
}

/** The forgery of this number, the same one everywhere. */
export async function forgery(number: number): Promise<Draft & { readonly lies: readonly string[] }> {
  const random = new Random(number);
  const draft = honestDraft();
  const lies: string[] = [];
  for (let count = random.below(3); count >= 0; count--) {
    const [name, lie] = random.of(LIES);
    lies.push(name);
    try {
      lie(draft, random);
    } catch {
      // A lie before it may have taken away what this one is about.
    }
  }
  await fit(draft, random);
  return { ...draft, lies };
}

/**
 * Puts forgeries to the verifier.
 *
 * @throws {AssertionError} for one that is verified though a member that is listed as checked says something untrue
 */
export async function campaign(first: number, count: number, onProgress?: (done: number) => void): Promise<Tally> {
  const verdicts: Record<string, number> = {};
  const failures: Record<string, number> = {};
  for (let number = first; number < first + count; number++) {
    const { statement, artefacts, lies } = await forgery(number);
    const report = await verifyForgery(await forge(statement, maker), artefacts);
    verdicts[report.verdict] = (verdicts[report.verdict] ?? 0) + 1;
    const failed = report.steps.find(({ status }) => status === "failed")?.name;
    if (failed !== undefined) failures[failed] = (failures[failed] ?? 0) + 1;
    if (report.verdict === "verified") {
      const what = `forgery ${number} (${lies.join(", ")}):\n${formatVerification(report)}`;
      assert.equal(await contradiction(statement, artefacts), undefined, what);
      const isSaid = report.caveats.some((caveat) => caveat.includes("not those here"));
      assert(isSaid || !namesOtherExperiments(statement) || isHonestPlan(statement), what);
    }
    if ((number - first + 1) % 1000 === 0) onProgress?.(number - first + 1);
  }
  return { verdicts, failures };
}

if (import.meta.main) {
  const [count = "100000", first = "1"] = Deno.args;
  const started = performance.now();
  const tally = await campaign(Number(first), Number(count), (done) => {
    console.error(`${done} forgeries, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  });
  console.log(JSON.stringify(tally, null, 2));
}
