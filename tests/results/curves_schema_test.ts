import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { Curves } from "../../src/results/curves.ts";
import { MAX_CURVES_LENGTH, parseCurves } from "../../src/results/curves_schema.ts";

const CURVES: Curves = {
  runKey: "0123456789abcdef".repeat(4),
  label: "max-learning-rate_1x_seed-0",
  tokensPerStep: 2048,
  bytesPerToken: { upstream: 1, downstream: 1 },
  points: [
    { step: 0, tokens: 0, learningRate: 0, upstream: 0.89, downstream: 1.491 },
    { step: 7, tokens: 14336, learningRate: 1.5e-3, upstream: 0.95, downstream: 1.45 },
  ],
};

function refused(change: (curves: Record<string, unknown>) => void, code: string, message: RegExp) {
  const curves = JSON.parse(JSON.stringify(CURVES));
  change(curves);
  assert.throws(() => parseCurves(JSON.stringify(curves), "curves.json"), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

const lastPoint = (curves: Record<string, unknown>) => (curves["points"] as Record<string, unknown>[])[1] ?? {};

Deno.test("parseCurves() gives back what was written", () => {
  assert.deepEqual(parseCurves(JSON.stringify(CURVES), "curves.json"), CURVES);
  const diverged = { ...CURVES, diverged: { step: 9, loss: "NaN" } };
  assert.deepEqual(parseCurves(JSON.stringify(diverged), "curves.json"), diverged);
});

Deno.test("parseCurves() names the file, the field and what was expected when a point is wrong", () => {
  refused(
    (c) => lastPoint(c)["step"] = 0,
    "INVALID_FIELD",
    /"curves\.json": points\[1\]\.step is 0, expected a step after 0/,
  );
  refused((c) => lastPoint(c)["tokens"] = 14335, "INVALID_FIELD", /points\[1\]\.tokens is 14335, expected 14336/);
  refused(
    (c) => lastPoint(c)["upstream"] = "0.95",
    "INVALID_FIELD",
    /points\[1\]\.upstream is "0\.95", expected a number/,
  );
  refused((c) => lastPoint(c)["upstream"] = null, "INVALID_FIELD", /points\[1\]\.upstream/); // what JSON makes of NaN
  refused((c) => lastPoint(c)["downstream"] = -1, "INVALID_FIELD", /points\[1\]\.downstream is -1/);
  refused((c) => lastPoint(c)["loss"] = 1, "INVALID_FIELD", /unknown key points\[1\]\.loss/);
  refused((c) => c["runKey"] = "0".repeat(63), "INVALID_FIELD", /runKey/);
  refused((c) => c["tokensPerStep"] = 0, "INVALID_FIELD", /tokensPerStep/);
});

Deno.test("parseCurves() refuses a number beyond all doubles", () => {
  const text = JSON.stringify(CURVES).replace("1.45", "1e999");
  assert.throws(() => parseCurves(text, "curves.json"), { code: "INVALID_FIELD" });
});

Deno.test("parseCurves() refuses text that is not JSON, and text that is too long before it parses it", () => {
  assert.throws(() => parseCurves('{"runKey":', "curves.json"), { code: "CURVES_SYNTAX" });
  assert.throws(() => parseCurves(" ".repeat(MAX_CURVES_LENGTH + 1), "curves.json"), { code: "CURVES_TOO_LARGE" });
});
