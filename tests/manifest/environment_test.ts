import assert from "node:assert/strict";
import { describeEnvironment } from "../../src/manifest/format/environment.ts";

Deno.test({
  name: "describeEnvironment() asks for no permission and says what it may not know",
  permissions: "none",
  fn: () => {
    const environment = describeEnvironment({ threads: 2 });
    assert.equal(environment.deno, Deno.version.deno);
    assert.equal(environment.threads, 2);
    assert.equal(environment.gpu, "none");
    assert.match(environment.cpu, /^model not asked for, \d+ threads$/);
    assert.deepEqual(environment.permissions, []);
  },
});

Deno.test("describeEnvironment() keeps what the caller knows", () => {
  const environment = describeEnvironment({ threads: 1, gpu: "a card", libraries: { driver: "1.2" } });
  assert.equal(environment.gpu, "a card");
  assert.deepEqual(environment.libraries, { driver: "1.2" });
});
