/** What an attestation says of the machine, as far as a browser tells: takes the place of `format/environment.ts`. */
import type { EnvironmentFacts } from "../../manifest/format/environment.ts";
import type { Environment } from "../../manifest/format/predicate.ts";

/** Describes the browser. Versions of what is not here are "none". */
export function describeEnvironment({ threads }: EnvironmentFacts): Environment {
  const { userAgent, hardwareConcurrency } = navigator;
  return {
    deno: "none",
    v8: "none",
    typescript: "none",
    os: "not asked for",
    architecture: "not asked for",
    cpu: `model not asked for, ${hardwareConcurrency} threads`,
    threads,
    gpu: "none",
    permissions: [],
    libraries: { browser: userAgent.slice(0, 1000) },
  };
}
