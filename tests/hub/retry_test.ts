import assert from "node:assert/strict";
import { askedWait, PassingFailure, pauseAfter, retry } from "../../src/hub/retry.ts";

const QUICK = { failures: 3, firstPause: 1, longestPause: 2 };

Deno.test("askedWait() reads seconds, HTTP dates and Hugging Face's RateLimit", () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 0);
  const cases: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ "retry-after": "120" }, 120_000],
    [{ "retry-after": " 0 " }, 0],
    [{ "retry-after": "Mon, 23 Nov 2026 12:01:30 GMT" }, 90_000],
    [{ "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ ratelimit: '"resolvers";r=0;t=55' }, 55_000],
    [{ ratelimit: '"api";r=0;t=55', "retry-after": "3" }, 3_000],
  ];
  for (const [headers, expected] of cases) assert.equal(askedWait(new Headers(headers), now), expected);
});

Deno.test("pauseAfter() doubles up to the longest pause, spreads, and keeps what the server asks for", () => {
  const policy = { failures: 9, firstPause: 100, longestPause: 1000 };
  for (const [failures, most] of [[1, 100], [2, 200], [3, 400], [4, 800], [5, 1000], [60, 1000]] as const) {
    const pauses = Array.from({ length: 50 }, () => pauseAfter(policy, failures));
    assert(pauses.every((pause) => pause >= most / 2 && pause <= most), `${pauses}`);
    assert(new Set(pauses).size > 5);
  }
  assert.equal(pauseAfter(policy, 1, 5000), 5000);
});

Deno.test("retry() gives up after failures in a row, and counts from the first again after progress", async () => {
  let calls = 0;
  const failing = () => Promise.reject(new PassingFailure(`${++calls}`));
  await assert.rejects(retry(QUICK, failing), { message: "3" });
  assert.equal(calls, 3);
  calls = 0;
  await assert.rejects(retry(QUICK, failing, { progress: () => Math.min(calls, 5) }), { message: "7" });
});

Deno.test("retry() throws other errors at once and stops when it is told to", async () => {
  let calls = 0;
  await assert.rejects(retry(QUICK, () => Promise.reject(new Error(`${++calls}`))), { message: "1" });
  const stop = new AbortController();
  const policy = { failures: 3, firstPause: 60_000, longestPause: 60_000 };
  const waiting = retry(policy, () => Promise.reject(new PassingFailure("busy")), { signal: stop.signal });
  setTimeout(() => stop.abort(), 1);
  await assert.rejects(waiting, { name: "AbortError" });
});
