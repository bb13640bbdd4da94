import assert from "node:assert/strict";
import fc from "fast-check";
import { slurmSeconds, slurmTime } from "../../../src/launch/slurm/time_limit.ts";

Deno.test("slurmSeconds() reads every form of sbatch(1)", () => {
  const forms: Record<string, number> = {
    "90": 5400,
    "10:30": 630,
    "24:00:00": 86_400,
    "2-12": 216_000,
    "1-0": 86_400,
    "1-02:30": 95_400,
    "1-02:03:04": 93_784,
    "00:02:00": 120,
  };
  for (const [text, seconds] of Object.entries(forms)) assert.equal(slurmSeconds(text), seconds, text);
});

Deno.test("slurmSeconds() gives no time for none, and for what is none", () => {
  for (const text of ["", "0", "0:00", "UNLIMITED", "infinite", "1h", "24h", "1:2:3:4", "-5", "1-", "1.5", " 5"]) {
    assert.equal(slurmSeconds(text), undefined, text);
  }
});

Deno.test("slurmTime() writes what slurmSeconds() reads", () => {
  assert.equal(slurmTime(93_784), "1-02:03:04");
  assert.equal(slurmTime(59), "00:00:59");
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e8 }), (seconds) => {
    assert.equal(slurmSeconds(slurmTime(seconds)), seconds);
  }));
});
