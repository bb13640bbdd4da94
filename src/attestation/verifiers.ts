/** Verifications that attestations may be of. Web-standard APIs only. */

/** A verification by its name. */
export interface Verifier {
  /** a name: nothing is fetched from it */
  readonly id: string;
  /** names of its steps as they are signed (`signed_words.ts`), in their order */
  readonly steps: readonly string[];
}

const V1: Verifier = {
  id: "https://rewarm.dev/verifier/v1",
  steps: [
    "size",
    "envelope",
    "signature",
    "signer",
    "type",
    "schema",
    "subjects",
    "consistency",
    "artefacts",
    "plan",
    "journals",
    "curves",
    "claims",
    "attestations",
    "replay",
  ],
};

/** Looks at the report page too. */
const V2: Verifier = {
  id: "https://rewarm.dev/verifier/v2",
  steps: V1.steps.flatMap((name) => name === "claims" ? [name, "report"] : [name]),
};

/** Looks at timestamps too. */
const V3: Verifier = {
  id: "https://rewarm.dev/verifier/v3",
  steps: V2.steps.flatMap((name) => name === "report" ? [name, "timestamps"] : [name]),
};

/**
 * Every verification there was. A name stands for these steps and for the form of the member `rewarm`: whoever changes
 * either adds a name here and keeps the others, so that old attestations are neither misread nor lost.
 */
export const VERIFIERS: readonly Verifier[] = [V1, V2, V3];

/** The verification that this version makes. */
export const NEWEST_VERIFIER: Verifier = V3;

/** The steps of a verification; `undefined` if this version does not know it. */
export function stepsOf(id: string): readonly string[] | undefined {
  return VERIFIERS.find((verifier) => verifier.id === id)?.steps;
}
