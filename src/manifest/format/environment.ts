/** What the manifest says of the machine and the process. Asks for no permission: what may not be known is said so. */
import { cpus } from "node:os";
import type { Environment } from "./predicate.ts";

const PERMISSIONS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

/** What the caller knows and this process does not. */
export interface EnvironmentFacts {
  /** threads that trained */
  readonly threads: number;
  /** `none`, or the model with its driver */
  readonly gpu?: string;
  readonly libraries?: Readonly<Record<string, string>>;
}

/** Describes this process and the machine that it runs on. */
export function describeEnvironment(facts: EnvironmentFacts): Environment {
  const { deno, v8, typescript } = Deno.version;
  return {
    deno,
    v8,
    typescript,
    os: Deno.build.os,
    architecture: Deno.build.arch,
    cpu: cpuModel(),
    threads: facts.threads,
    gpu: facts.gpu ?? "none",
    permissions: grantedPermissions(),
    libraries: { ...facts.libraries },
  };
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function cpuModel(): string {
  const threads = `${navigator.hardwareConcurrency} threads`;
  if (!isGranted({ name: "sys", kind: "cpus" })) return `model not asked for, ${threads}`;
  return `${cpus()[0]?.model.trim() || "unknown model"}, ${threads}`;
}

/** Permissions that the process has without restriction to paths or names; `all` if none is withheld. */
function grantedPermissions(): string[] {
  const granted = PERMISSIONS.filter((name) => isGranted({ name }));
  return granted.length === PERMISSIONS.length ? ["all"] : granted;
}
