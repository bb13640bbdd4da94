/**
 * What must be true of a manifest that was verified, for each member that the table says is checked: found anew here, from
 * the honest manifest and the artefacts, and not by asking the verifier. A forger's own word is losses, norms, batches and
 * states, and what follows from them.
 */
import { canonicalJson } from "../../../src/digest/canonical_json.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { limitsOf } from "../../../src/manifest/format/limits.ts";
import { MEMBERS } from "../../../src/manifest/format/members.ts";
import { TOOL_VERSION } from "../../../src/manifest/format/predicate.ts";
import { plannedPart } from "../../../src/manifest/format/run.ts";
import { armsOf } from "../../../src/manifest/verify/verify_claims.ts";
import { learningRateTable } from "../../../src/schedule/learning_rate.ts";
import { chainStart, parseHeader } from "../../../src/train/journal/journal_header.ts";
import { chainNext, fromBits64, toBits } from "../../../src/train/journal/journal_record.ts";
import { type Artefacts, testJudge, treeOf } from "../fixture.ts";
import { bundle } from "../fuzz_fixture.ts";
import { readRecords } from "./fit.ts";
import { curvesIn, honestDraft, NOW, pageOf, recordOf, RENDERER } from "./honest.ts";

// deno-lint-ignore no-explicit-any -- what is looked at was signed by a forger
type Loose = any;
type Truth = (statement: Loose, artefacts: Artefacts) => boolean | Promise<boolean>;

const honest: Loose = bundle.statement.predicate;
const honestPlan = honestDraft().plan;
const decoder = new TextDecoder();

const same = (a: unknown, b: unknown) => canonicalJson(a ?? null) === canonicalJson(b ?? null);
const bytesOf = (artefacts: Artefacts, name: string) => artefacts.get(name);
const isDigestOf = (digest: string, artefacts: Artefacts, name: string) => {
  const bytes = bytesOf(artefacts, name);
  return bytes !== undefined && sha256(bytes) === digest;
};
const trained = ({ predicate }: Loose): Loose[] => predicate.runs.filter(({ outcome }: Loose) => outcome !== "skipped");
const skipped = ({ predicate }: Loose): Loose[] => predicate.runs.filter(({ outcome }: Loose) => outcome === "skipped");

/** Whether a manifest names other experiments than those here, so that its plan is its own and the report says so. */
export function namesOtherExperiments({ predicate }: Loose): boolean {
  return !same(predicate.inputs, honest.inputs);
}

/** Whether the plan is the one that the experiments here give, whatever experiments the manifest names. */
export function isHonestPlan({ predicate }: Loose): boolean {
  return predicate.plan.planDigest === honestPlan.planDigest;
}

/** The plan that a manifest must have: that of the experiments here, or its own where it names others. */
function planOf(statement: Loose, artefacts: Artefacts): Loose {
  if (!namesOtherExperiments(statement)) return honestPlan;
  return JSON.parse(decoder.decode(artefacts.get(statement.predicate.plan.name)));
}

/** Members of all runs are those that were planned. */
const planned: Truth = (statement, artefacts) =>
  same(statement.predicate.runs.map(plannedPart), planOf(statement, artefacts).runs);
const once: Truth = ({ subject }) =>
  new Set(subject.map(({ name }: Loose) => name.toLowerCase())).size === subject.length &&
  subject.every(({ name }: Loose) => !/(^\/|\.\.|\\|:)/.test(name));
const artefactsOf = (statement: Loose): Loose[] => [
  statement.predicate.plan,
  ...(statement.predicate.report === undefined ? [] : [statement.predicate.report]),
  ...trained(statement).flatMap(({ journal, curves, states }) => [
    journal,
    curves,
    ...states.flatMap(({ checkpoint }: Loose) => checkpoint ?? []),
  ]),
];
/** Artefacts of the predicate lead to different subjects, whose digests are theirs. */
const references: Truth = (statement, artefacts) => {
  const all = artefactsOf(statement);
  const subjects = new Map(statement.subject.map(({ name, digest }: Loose) => [name, digest.sha256]));
  return new Set(all.map(({ name }) => name)).size === all.length &&
    all.every(({ name, sha256 }) => subjects.get(name) === sha256 && isDigestOf(sha256, artefacts, name));
};

function journalOf(run: Loose, artefacts: Artefacts) {
  const text = decoder.decode(artefacts.get(run.journal.name));
  const lines = text.trimEnd().split("\n");
  const header = parseHeader(lines[0] ?? "", run.key);
  const records = readRecords(text);
  return { header, records, isWhole: records.length === lines.length - 1 };
}

/** Chains, roots, counts, rates and states. */
const journals: Truth = (statement, artefacts) =>
  trained(statement).every((run) => {
    const { header, records, isWhole } = journalOf(run, artefacts);
    if (header === undefined || !isWhole) return false;
    let chain = chainStart(header);
    const rates = learningRateTable(run.specification.schedule);
    for (const { record, chain: stated } of records) {
      chain = chainNext(chain, record);
      if (chain !== stated) return false;
      if (record.kind === "step" && record.lr !== toBits(rates[record.step] ?? NaN)) return false;
    }
    const steps = records.filter(({ record }) => record.kind === "step");
    const states = records.flatMap(({ record }) =>
      record.kind === "state" ? [{ step: record.step, state: record.state }] : []
    );
    const isDiverged = records.at(-1)?.record.kind === "divergence";
    return chain === run.journal.root && steps.length === run.journal.steps &&
      steps.every(({ record }, index) => record.step === index) &&
      (isDiverged || run.journal.steps >= run.steps) && isDiverged === (run.outcome === "diverged") &&
      same(states, run.states.map(({ step, state }: Loose) => ({ step, state }))) &&
      (run.journal.format === undefined || run.journal.format === `rewarm journal v${header.version}`);
  });

const trees: Truth = async (statement, artefacts) => {
  for (const run of trained(statement)) {
    if (!same(await treeOf(run, artefacts), run.merkleTree)) return false;
  }
  return true;
};

const skips: Truth = (statement) =>
  skipped(statement).every(({ specification, reason }) => {
    const { initialWeights: start } = specification;
    const parent = statement.predicate.runs.find(({ key }: Loose) => key === start.run);
    if (start.kind !== "checkpoint" || parent === undefined) return false;
    const isReached = parent.outcome !== "skipped" && parent.journal.steps >= start.step;
    const words = parent.outcome === "skipped" ? "was skipped" : `diverged at step ${parent.journal.steps},`;
    return !isReached && (statement.predicate.tool.version !== TOOL_VERSION || reason.includes(words));
  });

/** Points of curves are those of the journals, and their bytes a token those of the corpora. */
const curves: Truth = (statement, artefacts) => {
  const { corpora } = statement.predicate;
  return trained(statement).every((run) => {
    const curve = curvesIn([run], artefacts).get(run.key);
    const { header, records } = journalOf(run, artefacts);
    if (curve === undefined || header?.version !== 2) return false;
    const points = records.flatMap(({ record }) =>
      record.kind === "evaluation" ? [[record.step, fromBits64(record.upstream), fromBits64(record.downstream)]] : []
    );
    return same(points, curve.points.map(({ step, upstream, downstream }) => [step, upstream, downstream])) &&
      same(header.bytesPerToken, curve.bytesPerToken) &&
      (["upstream", "downstream"] as const).every((name) => {
        const { mix } = run.specification.corpus;
        const corpus = name === "upstream" || mix === undefined ? corpora[name] : corpora.mixes?.[mix];
        if (corpus === undefined) return false;
        const { "validation bytes": bytes, "validation tokens": tokens } = corpus.summary;
        return bytes === undefined || tokens === undefined ||
          curve.bytesPerToken[name] === Number(bytes) / Number(tokens);
      });
  });
};

const records: Truth = (statement, artefacts) =>
  trained(statement).every((run) => {
    const bytes = artefacts.get(`runs/${run.label}/run.json`);
    if (bytes === undefined || !statement.subject.some(({ name }: Loose) => name === `runs/${run.label}/run.json`)) {
      return true;
    }
    const value = curvesIn([run], artefacts).get(run.key)?.diverged?.loss;
    return same(JSON.parse(decoder.decode(bytes)), recordOf(run, value));
  });

const claims: Truth = async (statement, artefacts) => {
  const { predicate } = statement;
  const arms = armsOf(predicate.runs, curvesIn(predicate.runs, artefacts));
  const judgement: Loose = await testJudge({ predicate, plan: planOf(statement, artefacts), arms });
  const isSame = (claim: Loose) => {
    if (predicate.tool.version === TOOL_VERSION) return claim;
    const { rule: _, reason: __, summary: ___, numbers, evidence, ...rest } = claim;
    return {
      ...rest,
      numbers: numbers.map(({ value }: Loose) => value),
      evidence: evidence.map(({ label: _, ...point }: Loose) => point),
    };
  };
  return same(predicate.claims.map(isSame), judgement.claims.map(isSame)) && predicate.comparisons.length === 0 &&
    same(predicate.rulesVersion ?? 1, judgement.rulesVersion ?? 1) &&
    same(predicate.estimates ?? [], judgement.estimates ?? []);
};

const plan: Truth = (statement, artefacts) => {
  const { name, planDigest } = statement.predicate.plan;
  const found = JSON.parse(decoder.decode(artefacts.get(name)));
  const { planDigest: stated, ...content } = found;
  return planDigest === stated && stated === sha256(canonicalJson(content)) &&
    same(found, planOf(statement, artefacts));
};

const page: Truth = (statement, artefacts) => {
  const { predicate } = statement;
  const { report, ...rest } = predicate;
  if (report === undefined || report.rendererVersion !== RENDERER) return true;
  const made = pageOf({
    predicate: rest,
    plan: planOf(statement, artefacts),
    curves: curvesIn(predicate.runs, artefacts),
  });
  return decoder.decode(artefacts.get(report.name)) === made;
};

const retrained: Truth = (statement) =>
  trained(statement).every(({ retrained = [], journal }) =>
    retrained.every(({ fromStep, toStep }: Loose, index: number) =>
      fromStep <= toStep && toStep <= journal.steps && fromStep >= (retrained[index - 1]?.toStep ?? 0)
    )
  );

/** Trainers take turns, each from a later step than the one before, inside the run. */
const trainers: Truth = (statement) =>
  trained(statement).every(({ trainedBy = [], journal }) =>
    trainedBy.every(({ fromStep }: Loose, index: number) =>
      fromStep > (trainedBy[index - 1]?.fromStep ?? -1) && fromStep <= journal.steps
    )
  );

const isAs = (read: (predicate: Loose) => unknown, inPlan: (plan: Loose) => unknown): Truth => (statement, artefacts) =>
  same(read(statement.predicate), inPlan(planOf(statement, artefacts)));
const digests = (name: string): Truth => isAs(({ corpora }) => corpora[name].digest, ({ data }) => data[name]);

/** By the paths of the table. */
export const TRUTHS: Readonly<Record<string, Truth>> = {
  "_type": ({ _type }) => _type === "https://in-toto.io/Statement/v1",
  "predicateType": ({ predicateType }) => /^https:\/\/rewarm\.dev\/reproduction\/v[12]$/.test(predicateType),
  "subject[].name": once,
  "subject[].digest.sha256": ({ subject }, artefacts) =>
    subject.every(({ name, digest }: Loose) => isDigestOf(digest.sha256, artefacts, name)),
  "predicate.tool.name": ({ predicate }) => predicate.tool.name === "rewarm",
  "predicate.scale": isAs(({ scale }) => scale, ({ scale }) => scale.name),
  "predicate.plan.name": references,
  "predicate.plan.sha256": references,
  "predicate.plan.planDigest": plan,
  "predicate.paper.name": once,
  "predicate.paper.sha256": ({ predicate }) => predicate.paper.sha256 === honest.paper.sha256,
  "predicate.inputs[].name": plan,
  "predicate.inputs[].sha256": plan,
  "predicate.engine.level": isAs(({ engine }) => engine.level, ({ engine }) => engine.level),
  "predicate.engine.arithmetic": isAs(({ engine }) => engine.arithmetic, ({ engine }) => engine.arithmetic),
  "predicate.seeds.count": isAs(({ seeds }) => seeds.count, ({ seeds }) => seeds),
  ...Object.fromEntries(
    ["initialWeights", "pretrainingOrder", "continuingOrder"].map((name) => [
      `predicate.seeds.values[].${name}`,
      ({ predicate: { seeds } }: Loose) =>
        seeds.values === undefined || same(
          seeds.values,
          Array.from({ length: seeds.count }, (_, index) => {
            const seed = 1234 + 1000 * index;
            return { initialWeights: seed, pretrainingOrder: seed, continuingOrder: seed + 1 };
          }),
        ),
    ]),
  ),
  "predicate.corpora.upstream.digest": digests("upstream"),
  "predicate.corpora.downstream.digest": digests("downstream"),
  "predicate.corpora.mixes{}.digest": isAs(
    ({ corpora: { mixes = {} } }) => Object.entries(mixes).map(([name, { digest }]: Loose) => [name, digest]).sort(),
    ({ data: { mixes = {} } }) => Object.entries(mixes).sort(),
  ),
  "predicate.corpora.upstream.summary{}": curves,
  "predicate.corpora.downstream.summary{}": curves,
  "predicate.corpora.mixes{}.summary{}": curves,
  "predicate.readings": isAs(({ readings }) => readings, ({ readings }) => readings),
  "predicate.start": isAs(({ start }) => start, ({ start }) => start?.checkpoints),
  ...Object.fromEntries(
    ["key", "label", "specification", "steps", "checkpointSteps[]", "usedBy"]
      .map((name) => [`predicate.runs[].${name}`, planned]),
  ),
  "predicate.runs[].outcome": async (statement, artefacts) =>
    await journals(statement, artefacts) && await skips(statement, artefacts),
  "predicate.runs[].reason": skips,
  "predicate.runs[].journal.name": references,
  "predicate.runs[].journal.sha256": references,
  "predicate.runs[].journal.format": journals,
  "predicate.runs[].journal.root": journals,
  "predicate.runs[].journal.steps": journals,
  "predicate.runs[].states[].step": journals,
  "predicate.runs[].states[].state": journals,
  "predicate.runs[].states[].checkpoint.name": references,
  "predicate.runs[].states[].checkpoint.sha256": references,
  "predicate.runs[].merkleTree.treeSize": trees,
  "predicate.runs[].merkleTree.rootHash": trees,
  "predicate.runs[].conditions[].fromStep": (statement) =>
    trained(statement).every(({ conditions }) => conditions === undefined),
  "predicate.runs[].curves.name": references,
  "predicate.runs[].curves.sha256": async (statement, artefacts) =>
    await references(statement, artefacts) && await curves(statement, artefacts) && await records(statement, artefacts),
  "predicate.runs[].trainedBy[].fromStep": trainers,
  "predicate.runs[].retrained[].fromStep": retrained,
  "predicate.runs[].retrained[].toStep": retrained,
  "predicate.rulesVersion": claims,
  "predicate.claims": claims,
  "predicate.estimates": claims,
  "predicate.comparisons": claims,
  "predicate.limits[]": (statement, artefacts) => {
    const { data, tool, limits, runs } = statement.predicate;
    return data === undefined || tool.version !== TOOL_VERSION ||
      same(limits, limitsOf(planOf(statement, artefacts), runs, data.shortages));
  },
  "predicate.metadata.createdAt": ({ predicate }) => {
    const at = Date.parse(predicate.metadata.createdAt);
    return at >= Date.UTC(2026, 10, 23) && at <= NOW + 86_400_000;
  },
  "predicate.report.name": references,
  "predicate.report.sha256": page,
  "predicate.report.rendererVersion": page,
};

/** Members that the table says are checked. */
export const CHECKED: readonly string[] = MEMBERS.filter(({ checked }) => checked !== undefined).map(({ path }) =>
  path
);

/** The first checked member that says something untrue; `undefined` if none does. */
export async function contradiction(statement: unknown, artefacts: Artefacts): Promise<string | undefined> {
  for (const [path, truth] of Object.entries(TRUTHS)) {
    if (!await truth(statement, artefacts)) return path;
  }
  return undefined;
}
