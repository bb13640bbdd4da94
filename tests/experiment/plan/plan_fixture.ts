/** A plan's inputs that stay the same whatever the data and the engine do. */
import { sha256 } from "../../../src/digest/sha256.ts";
import { buildPlan, type Plan, type PlanOptions } from "../../../src/experiment/plan/plan.ts";

/**
 * A catalogue that stays as it is: the paper's six experiments and the scales of version 0.2. Tests that count runs or
 * pin digests stand on it, so that an experiment more or a scale chosen anew changes none of them.
 */
export const FIXTURE_CATALOGUE = { folder: new URL("../../fixtures/experiments/", import.meta.url) } as const;

/** Options of a plan with one seed, invented corpora and an invented arithmetic. */
export const FIXED_OPTIONS = {
  seeds: 1,
  engine: { level: "machine_to_machine", arithmetic: "test/1" },
  corpusDigests: { upstream: sha256("upstream"), downstream: sha256("downstream") },
} as const;

/** A plan of one scale with {@linkcode FIXED_OPTIONS}. */
export function fixedPlan(scale: string, options: Partial<PlanOptions> = {}): Promise<Plan> {
  return buildPlan({ ...FIXED_OPTIONS, ...FIXTURE_CATALOGUE, scale, ...options });
}
