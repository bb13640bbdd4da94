import assert from "node:assert/strict";
import fc from "fast-check";
import { hasCode } from "../../../src/errors.ts";
import { jobNameFor, requireObjectName } from "../../../src/launch/kubernetes/names.ts";

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

Deno.test("jobNameFor() maps names that Kubernetes refuses, and leaves the others", () => {
  assert.equal(jobNameFor("rewarm-paper"), "rewarm-paper");
  assert.equal(jobNameFor("warmup-length_0.5%_seed-0"), "warmup-length-0-5-seed-0");
  assert.equal(jobNameFor("Größe"), "gro-e");
  assert.equal(jobNameFor("--a--"), "a");
  for (const name of ["", "---", "%", "日本"]) {
    assert.throws(() => jobNameFor(name), (error) => hasCode(error, "REFUSED_NAME"), name);
  }
});

Deno.test("jobNameFor() gives a name whose pods' host names RFC 1123 allows, or refuses", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 100 }), (name) => {
    let mapped: string;
    try {
      mapped = jobNameFor(name);
    } catch (error) {
      return hasCode(error, "REFUSED_NAME");
    }
    assert.match(mapped, LABEL);
    assert(`${mapped}-99999`.length <= 63);
    assert.equal(jobNameFor(mapped), mapped);
  }));
});

Deno.test("requireObjectName() does not map names of objects that exist: another name is another object", () => {
  assert.equal(requireObjectName("claim", "shared.data-1", 253), "shared.data-1");
  for (const name of ["Shared", "a_b", "-a", "a-", "a..b", "", "a".repeat(254), "a b"]) {
    assert.throws(() => requireObjectName("claim", name, 253), (error) => hasCode(error, "REFUSED_NAME"), name);
  }
  assert.throws(() => requireObjectName("queue", "a".repeat(64), 63), (error) => hasCode(error, "REFUSED_NAME"));
});
