import assert from "node:assert/strict";
import type { Corpus } from "../../src/data/corpus.ts";
import type { Shortage } from "../../src/data/shortage.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { type Digest, sha256 } from "../../src/digest/sha256.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { UserError } from "../../src/errors.ts";
import type { Plan, PlanOptions } from "../../src/experiment/plan/plan.ts";
import type { EvaluationSpecification } from "../../src/experiment/run/run.ts";
import { runKey } from "../../src/experiment/run/run_key.ts";
import { placeholderRun, requireStatable } from "../../src/reproduce/dry_run.ts";
import type { ReproduceOptions } from "../../src/reproduce/options.ts";
import { reproduce } from "../../src/reproduce/reproduce.ts";
import { digestsOf, readInputs } from "../../src/reproduce/inputs.ts";
import { loadPaper, type PaperFile } from "../../src/reproduce/paper_file.ts";
import { FIXED_OPTIONS, fixedPlan } from "../experiment/plan/plan_fixture.ts";
import { DATA_CACHE } from "./smoke.ts";

const count = { train: 1000, validation: 100 };

function corpus(name: "upstream" | "downstream", domains: readonly string[]): Corpus {
  const shares = Object.fromEntries(domains.map((domain) => [domain, 1 / domains.length]));
  const summary = { documents: count, tokens: count, bytes: count, windows: count, domains: shares };
  const digest: Digest = FIXED_OPTIONS.corpusDigests[name];
  const never = () => Promise.reject(new Error("nothing is read before training"));
  return { name, digest, summary, batch: never, validationWindows: never, wholeValidation: never, close: () => {} };
}

/** What a dry run looks at, some of it changed. */
interface Change {
  readonly plan?: Partial<PlanOptions>;
  readonly change?: (plan: Plan) => Plan;
  readonly options?: Partial<ReproduceOptions>;
  readonly domains?: readonly string[];
  readonly engine?: Partial<Engine>;
  readonly paper?: Partial<PaperFile>;
  readonly shortages?: readonly Shortage[];
}

async function dryRun({ plan, change = (p) => p, options, domains = ["a"], engine, paper, shortages }: Change = {}) {
  const exact = { name: "exact", ...FIXED_OPTIONS.engine, description: {}, ...engine };
  await requireStatable(
    {
      scale: "smoke",
      engine: exact as Engine,
      threads: 2,
      output: "out/x",
      signingKey: () => Promise.reject(new Error("nothing is signed before training")),
      ...options,
    },
    {
      plan: change(await fixedPlan("smoke", plan)),
      paper: { ...await loadPaper(), ...paper },
      inputs: digestsOf(await readInputs("smoke")),
      corpora: { upstream: corpus("upstream", domains), downstream: corpus("downstream", domains) },
      shortages,
    },
  );
}

async function refusal(change: Change): Promise<UserError> {
  const error = await dryRun(change).then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof UserError, `${error}`);
  return error;
}

Deno.test("requireStatable() lets plans pass that a manifest can state, however long their lists and names are", async () => {
  await dryRun();
  await dryRun({ plan: { seeds: 3 } });
  const files = Array.from({ length: 16_046 }, (_, i) => `part-${i}.jsonl`);
  await dryRun({ options: { command: ["reproduce", "--upstream", ...files] } });
  await dryRun({ domains: ["x".repeat(191), "x".repeat(192), "y".repeat(8192), "__proto__", "", "\u202e\n"] });
});

Deno.test("requireStatable() counts who trains each run, as a manifest states it", async () => {
  const { runs: [run] } = await fixedPlan("smoke");
  assert.ok(run !== undefined);
  const { trainedBy } = placeholderRun(run, { name: "exact", ...FIXED_OPTIONS.engine, description: {} });
  const { os, arch: architecture } = Deno.build;
  assert.deepEqual(
    trainedBy?.map(({ fromStep, machine, os, architecture, engine }) => ({
      fromStep,
      machine,
      os,
      architecture,
      engine,
    })),
    [{ fromStep: 0, machine: 1, os, architecture, engine: "exact" }],
  );
});

/** The plan with one run of so many steps, each of them evaluated. */
function withEvaluations(
  { planDigest: _, ...plan }: Plan,
  steps: number,
  more: Partial<EvaluationSpecification> = {},
): Plan {
  const [first] = plan.runs;
  assert.ok(first !== undefined);
  const evaluation = { windows: 1, interval: 1, denseInterval: 1, denseUntilStep: 0, landmarks: [], ...more };
  const specification = { ...first.specification, evaluation, checkpointInterval: steps };
  const content = { ...plan, runs: [{ ...first, key: runKey(specification), specification, steps }] };
  return { ...content, planDigest: sha256(canonicalJson(content)) };
}

const short = (domain: string): Shortage => ({ corpus: "upstream", domain, wanted: 2, found: 1 });

/** Each is a bound of the manifest, met by something that a user chooses. */
const REFUSED: readonly (readonly [string, Change, code: string, words: RegExp])[] = [
  [
    "a fact of the engine",
    { engine: { description: { kernels: "k".repeat(4001) } } },
    "NOT_STATABLE",
    /engine\.description\.kernels: .*4000.*found 4001/,
  ],
  ["a name of a fact", { engine: { description: { ["n".repeat(201)]: "" } } }, "NOT_STATABLE", /engine\.description/],
  [
    "a shortage in words",
    { shortages: [short("s".repeat(5000))] },
    "NOT_STATABLE",
    /limits\[\d\]: .*4000.*found 5\d\d\d.*shortages\[0\]\.domain: .*4000.*found 5000/,
  ],
  [
    "many shortages",
    { shortages: Array.from({ length: 1001 }, () => short("s")) },
    "NOT_STATABLE",
    /limits: .*1000.*found 100\d/,
  ],
  [
    "rules",
    { paper: { text: "#".repeat((1 << 20) + 1) } },
    "PLAN_TOO_LARGE",
    /claims would have 1048577 bytes, and at most 1048576/,
  ],
  [
    "evaluations",
    { change: (plan) => withEvaluations(plan, 200_000) },
    "PLAN_TOO_LARGE",
    /curve of run ".*" would have \d+ characters, and at most 16000000/,
  ],
  [
    "losses by sampled document",
    { change: (plan) => withEvaluations(plan, 1_000, { windows: 320, landmarkWindows: 400 }) },
    "PLAN_TOO_LARGE",
    /curve of run ".*" would have 16\d{6} characters, and at most 16000000/,
  ],
  ["points of a curve", { change: (plan) => withEvaluations(plan, 100_001) }, "INVALID_FIELD", /points.*100000/],
];

for (const [what, change, code, words] of REFUSED) {
  Deno.test(`requireStatable() refuses ${what} beyond a bound, and names member, limit and what was found`, async () => {
    const error = await refusal(change);
    assert.equal(error.code, code);
    assert.match(error.message, words);
  });
}

Deno.test("reproduce() meets the bounds of its manifest before it writes or trains anything", async () => {
  const output = await Deno.makeTempDir();
  try {
    const refused = reproduce({
      scale: "smoke",
      only: ["warmup-length/0%"],
      engine: {
        name: "exact",
        ...FIXED_OPTIONS.engine,
        description: { kernels: "k".repeat(4001) },
      } as unknown as Engine,
      threads: 1,
      output: `${output}/run`,
      dataCache: DATA_CACHE,
      signingKey: () => Promise.reject(new Error("asked for a key")),
    });
    await assert.rejects(refused, { code: "NOT_STATABLE" });
    assert.deepEqual([...Deno.readDirSync(output)], []);
  } finally {
    await Deno.remove(output, { recursive: true });
  }
});
