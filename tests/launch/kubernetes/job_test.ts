import assert from "node:assert/strict";
import { Job } from "kubernetes-models/batch/v1";
import { indexedJob, type KubernetesLaunch } from "../../../src/launch/kubernetes/job.ts";
import { formatYaml, parseYaml } from "../../../src/text/yaml.ts";

const LAUNCH: KubernetesLaunch = {
  name: "rewarm-paper",
  image: { reference: `rewarm@sha256:${"0".repeat(64)}`, digest: `sha256:${"0".repeat(64)}` },
  claim: "shared",
  queue: "gpu",
  workers: 8,
  gpu: true,
  cpus: "4",
  memory: "32Gi",
  output: "/rewarm/out/paper",
  facts: { scale: "paper", runs: "16" },
  words: ["--scale=paper"],
  planWords: ["--scale=paper", "--only=warmup-length/1%"],
};

/** What is applied: the job as it comes back from YAML, checked by Kubernetes' OpenAPI schema. */
function applied(changes: Partial<KubernetesLaunch> = {}): ReturnType<typeof indexedJob> {
  const job = parseYaml(formatYaml(indexedJob({ ...LAUNCH, ...changes })), "job.yaml") as ReturnType<typeof indexedJob>;
  new Job(job as ConstructorParameters<typeof Job>[0]).validate();
  return job;
}

Deno.test("the schema refuses what is no job, so that passing it means something", () => {
  const { spec, ...job } = indexedJob(LAUNCH);
  for (const [field, value] of [["completions", "8"], ["completionMode", "Idx"], ["template", undefined]] as const) {
    const broken: unknown = { ...job, spec: { ...spec, [field]: value } };
    assert.throws(() => new Job(broken as ConstructorParameters<typeof Job>[0]).validate(), Error, field);
  }
});

Deno.test("indexedJob() is a job by Kubernetes' schema, with a queue and without, with a GPU and without", () => {
  const { spec, metadata } = applied();
  assert.equal(spec?.completionMode, "Indexed");
  assert.equal(spec?.completions, 8);
  assert.equal(spec?.parallelism, 8);
  assert.equal(spec?.suspend, true);
  assert.equal(metadata?.labels?.["kueue.x-k8s.io/queue-name"], "gpu");
  const { queue: _, ...alone } = LAUNCH;
  const plain = parseYaml(formatYaml(indexedJob({ ...alone, gpu: false })), "job.yaml") as ReturnType<
    typeof indexedJob
  >;
  assert.equal(plain.spec?.suspend, undefined);
  assert.equal(plain.spec?.template.spec?.containers[0]?.resources?.limits?.["nvidia.com/gpu"], undefined);
});

Deno.test("indexedJob() brings back what was stopped or lost its node, and gives up on bad input", () => {
  const rules = applied().spec?.podFailurePolicy?.rules ?? [];
  const actionFor = (code: number) =>
    rules.find(({ onExitCodes }) => onExitCodes?.operator === "In" && onExitCodes.values.includes(code))?.action;
  assert.deepEqual([75, 130, 2, 1].map(actionFor), ["Ignore", "Ignore", "FailIndex", undefined]);
  const disrupted = rules.find(({ onPodConditions }) => onPodConditions?.[0]?.type === "DisruptionTarget");
  assert.equal(disrupted?.action, "Ignore");
});

Deno.test("indexedJob() names existing containers in its policy, which Kubernetes checks beyond its schema", () => {
  const { spec } = applied();
  const pod = spec?.template.spec;
  const names = [...pod?.containers ?? [], ...pod?.initContainers ?? []].map(({ name }) => name);
  for (const { onExitCodes } of spec?.podFailurePolicy?.rules ?? []) {
    if (onExitCodes?.containerName !== undefined) assert(names.includes(onExitCodes.containerName));
  }
  // A policy for failures asks for this, and FailIndex for the other.
  assert.equal(pod?.restartPolicy, "Never");
  assert(spec?.backoffLimitPerIndex !== undefined);
  assert((spec?.podFailurePolicy?.rules.length ?? 0) <= 20);
});

Deno.test("indexedJob() keeps Kubernetes from filling in variables where a word has them", () => {
  const [worker] =
    applied({ words: ["--only=$(HOSTNAME)", "--model=$HOME", "$$(A)"] }).spec?.template.spec?.containers ?? [];
  // As Kubernetes expands: "$$" before a parenthesis is one dollar, "$(NAME)" its value.
  const expanded = (worker?.args ?? []).map((word) =>
    word.replace(/\$\$|\$\(([A-Z_]+)\)/g, (found, name) => name === undefined ? "$" : `<${found}>`)
  );
  assert.deepEqual(expanded.slice(-3), ["--only=$(HOSTNAME)", "--model=$HOME", "$$(A)"]);
});

Deno.test("indexedJob() runs as the image's user, without a token and without more rights than it has", () => {
  const pod = applied().spec?.template.spec;
  assert.equal(pod?.automountServiceAccountToken, false);
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  for (const { securityContext } of [...pod?.containers ?? [], ...pod?.initContainers ?? []]) {
    assert.equal(securityContext?.allowPrivilegeEscalation, false);
    assert.deepEqual(securityContext?.capabilities?.drop, ["ALL"]);
  }
});
