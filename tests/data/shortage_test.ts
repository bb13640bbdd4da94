import assert from "node:assert/strict";
import { domainWeights } from "../../src/data/domain_weights.ts";
import { describeShortage, shortagesOf, type Supply } from "../../src/data/shortage.ts";

const SUPPLY: Supply = {
  corpus: "downstream",
  domains: new Map([["Book", 900], ["Github", 5000]]),
  tokens: 5900,
  wantedTokens: 5900,
};

Deno.test("shortagesOf() finds nothing where there is enough, or a thousandth too little", () => {
  assert.deepEqual(shortagesOf(SUPPLY), []);
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedTokens: 5905, wantedDomains: { Github: 5005 } }), []);
});

Deno.test("shortagesOf() finds a corpus that is too short, unless its domains say so already", () => {
  const whole = { corpus: "downstream", wanted: 6000, found: 5900 };
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedTokens: 6000 }), [whole]);
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedTokens: 6000, wantedDomains: { Github: 5000 } }), [whole]);
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedTokens: 6000, wantedDomains: { Book: 1000 } }), [
    { corpus: "downstream", domain: "Book", wanted: 1000, found: 900 },
  ]);
});

Deno.test("shortagesOf() finds domains that are not there, but for those that are left out", () => {
  const wantedDomains = { C4: 10, Book: 1000 };
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedDomains }).map(({ domain, found }) => [domain, found]), [
    ["C4", 0],
    ["Book", 900],
  ]);
  const weights = { C4: 0, Book: 0, Github: 1 };
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedDomains, weights }), []);
});

Deno.test("domains may be named as objects' own members are", () => {
  const wantedDomains = { constructor: 1000 } as unknown as Record<string, number>;
  assert.deepEqual(shortagesOf({ ...SUPPLY, wantedDomains, weights: { Github: 1 } }), []);
  const domains = [{ name: "constructor", tokens: 5 }, { name: "Github", tokens: 5 }];
  assert.throws(() => domainWeights("downstream", { Github: 1 }, domains), {
    code: "MISSING_WEIGHT",
    message: /has the domain "constructor", but no weight is given for it/,
  });
});

Deno.test("describeShortage() names the domain, what there is, and what is asked for", () => {
  assert.equal(
    describeShortage({ corpus: "downstream", domain: "Book", wanted: 14_220_000, found: 9_000_000 }),
    'domain "Book" of the downstream corpus has 9,000,000 training tokens, not 14,220,000: they are repeated more often',
  );
  assert.match(
    describeShortage({ corpus: "upstream", wanted: 2000, found: 1000 }),
    /the upstream corpus has 1,000 training tokens, but the longest run reads 2,000/,
  );
});
