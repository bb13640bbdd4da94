/** How much training text a scale's own data have: what the criterion of repetitions counts by. */
import { ownMember } from "../digest/own_member.ts";
import type { TextSupply } from "../experiment/scale/criteria.ts";
import type { FamilyWeights, Scale } from "../experiment/scale/scale.ts";
import { type DataLock, readDataLock } from "./data_lock.ts";
import { VALIDATION_ONE_IN } from "./domain.ts";
import { FAMILIES, FAMILY_NAMES } from "./embedded/families.ts";
import { UPSTREAM_QUARTERS as NPM_QUARTERS } from "./embedded/mix.ts";
import { UPSTREAM_QUARTERS } from "./embedded/mixes.ts";
import { SLIMPAJAMA, slimPajamaTokens, slimPajamaWeights } from "./slimpajama.ts";

/**
 * Training tokens of the embedded families, from the lockfile's bytes and the shares that the corpora get of them, to
 * about a per cent; of SlimPajama's domains, as many as the paper had. The Pile is longer than what is read of it.
 *
 * @returns undefined for a dataset whose domains are not known
 */
export async function textSupply(scale: Scale, lockFile?: string): Promise<TextSupply | undefined> {
  const { data } = scale;
  switch (data.kind) {
    case "npm": {
      const lock = await readDataLock(lockFile);
      const ofSide = (isUpstream: boolean) =>
        Object.entries(NPM_QUARTERS).map(([family, quarters]) => {
          const tokens = trainingBytes(lock, family, isUpstream ? quarters : 4 - quarters);
          return { weight: tokens, tokens };
        });
      return { upstream: ofSide(true), downstream: ofSide(false) };
    }
    case "embedded": {
      const lock = await readDataLock(lockFile);
      const { upstream, downstream, mixes } = data;
      const isUpstream = (family: string) => Object.hasOwn(upstream, family);
      const supply = (weights: FamilyWeights, quarters: (family: string) => number) =>
        Object.entries(weights).map(([family, weight]) => ({
          weight,
          tokens: trainingBytes(lock, family, quarters(family)),
        }));
      return {
        upstream: supply(upstream, () => UPSTREAM_QUARTERS),
        downstream: supply(mixes[downstream] ?? {}, (family) => isUpstream(family) ? 4 - UPSTREAM_QUARTERS : 4),
      };
    }
    case "huggingface": {
      if (data.downstream.dataset !== SLIMPAJAMA) return undefined;
      const weights = slimPajamaWeights(data.downstream.leftOut);
      const downstream = Object.entries(slimPajamaTokens(scale)).map(([domain, tokens]) => ({
        weight: weights[domain] ?? 0,
        tokens,
      }));
      return { upstream: [], downstream };
    }
  }
}

/** Bytes of a family that are trained on, with so many of its quarters. */
function trainingBytes(lock: DataLock, family: string, quarters: number): number {
  const name = FAMILY_NAMES.find((known) => known === family);
  const text = name === undefined ? undefined : FAMILIES[name];
  const pin = text === undefined ? undefined : ownMember(lock.packages, "pin" in text ? text.pin : text.package);
  return (pin?.bytes ?? 0) * quarters / 4 * (1 - 1 / VALIDATION_ONE_IN);
}
