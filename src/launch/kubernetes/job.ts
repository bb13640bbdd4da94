/** A plan as an Indexed Job: workers that each take the next run that is ready and free. */
import type { Job } from "kubernetes-types/batch/v1";
import type { Container, EnvVar, PodSpec } from "kubernetes-types/core/v1";
import { EXIT } from "../../errors.ts";
import type { ContainerLaunch } from "../container_launch.ts";
import { IMAGE_CACHE, IMAGE_OUTPUT } from "../image.ts";

/** Who reads our annotations and labels. */
const PREFIX = "rewarm.dev";
/** For a step, an evaluation and a checkpoint after the pod was told to end. */
const GRACE_SECONDS = 300;
/** Failures of one worker that count: neither its node's, nor a stop. */
const MAX_FAILURES = 6;
/** The image's own user. */
const USER = 1000;

/** What is launched. */
export interface KubernetesLaunch extends ContainerLaunch {
  /** a persistent volume claim that many nodes can mount to write */
  readonly claim: string;
  /** a Kueue queue, which admits the job when there is room */
  readonly queue?: string;
  readonly workers: number;
  readonly gpu: boolean;
  readonly cpus: string;
  readonly memory: string;
  /** what is said of the plan, for people: shown as annotations */
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * Kubernetes fills in `$(VARIABLE)` in a container's words, and takes `$$` for one dollar.
 *
 * @see kubernetes/third_party/forked/golang/expansion/expand.go
 */
function literal(word: string): string {
  return word.replaceAll("$", () => "$$");
}

function container(
  launch: KubernetesLaunch,
  name: string,
  words: readonly string[],
  limits: Record<string, string>,
): Container {
  const env: EnvVar[] = [{ name: "REWARM_IMAGE_DIGEST", value: launch.image.digest }];
  return {
    name,
    image: launch.image.reference,
    args: words.map(literal),
    env,
    resources: { requests: { cpu: launch.cpus, memory: launch.memory }, limits: { memory: launch.memory, ...limits } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    volumeMounts: [
      { name: "shared", mountPath: IMAGE_OUTPUT, subPath: "out" },
      { name: "shared", mountPath: IMAGE_CACHE, subPath: "cache" },
    ],
  };
}

function podSpec(launch: KubernetesLaunch): PodSpec {
  const { output, words, planWords, gpu } = launch;
  return {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: GRACE_SECONDS,
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: "RuntimeDefault" },
    },
    // Each worker writes the plan: the first one really, the others find the same.
    initContainers: [container(launch, "plan", ["reproduce", "--plan-only", `--out=${output}`, ...planWords], {})],
    containers: [
      container(
        launch,
        "worker",
        ["reproduce", "--join", `--out=${output}`, ...words],
        gpu ? { "nvidia.com/gpu": "1" } : {},
      ),
    ],
    volumes: [{ name: "shared", persistentVolumeClaim: { claimName: launch.claim } }],
  };
}

/** The job, to be written as YAML. */
export function indexedJob(launch: KubernetesLaunch): Job {
  const { name, queue, workers, facts } = launch;
  const labels = {
    "app.kubernetes.io/name": "rewarm",
    ...(queue === undefined ? {} : { "kueue.x-k8s.io/queue-name": queue }),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      labels,
      annotations: Object.fromEntries(Object.entries(facts).map(([fact, text]) => [`${PREFIX}/${fact}`, text])),
    },
    spec: {
      // Kueue starts it when it is admitted.
      ...(queue === undefined ? {} : { suspend: true }),
      completionMode: "Indexed",
      completions: workers,
      parallelism: workers,
      backoffLimitPerIndex: MAX_FAILURES,
      podFailurePolicy: {
        rules: [
          // Bad input stays bad.
          { action: "FailIndex", onExitCodes: { containerName: "worker", operator: "In", values: [EXIT.unable] } },
          { action: "FailIndex", onExitCodes: { containerName: "plan", operator: "In", values: [EXIT.unable] } },
          // Evicted, preempted, or its node is gone: another pod resumes.
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          // Stopped with a checkpoint, or nothing is ready now: another pod asks later.
          {
            action: "Ignore",
            onExitCodes: { containerName: "worker", operator: "In", values: [EXIT.waiting, EXIT.interrupted] },
          },
        ],
      },
      template: { metadata: { labels: { "app.kubernetes.io/name": "rewarm" } }, spec: podSpec(launch) },
    },
  };
}
