import assert from "node:assert/strict";
import { CURVE_COLUMNS } from "../../src/results/curves_csv.ts";
import { output } from "./output.ts";

const V2 = "tests/fixtures/manifests/v2";

Deno.test("main() prints every evaluation of a manifest as CSV", async () => {
  const { code, text } = await output(["curves", V2]);
  assert.equal(code, 0, text);
  const [head, ...rows] = text.split("\n");
  assert.equal(head, CURVE_COLUMNS.join(","));
  const expected: string[] = [];
  for await (const { name } of Deno.readDir(`${V2}/runs`)) {
    const { label, points } = JSON.parse(await Deno.readTextFile(`${V2}/runs/${name}/curves.json`));
    for (const { step, upstream, downstream } of points) expected.push([label, step, upstream, downstream].join());
  }
  assert(expected.length > 10, `${expected.length} points`);
  const found = rows.map((row) => row.split(",")).map(([run, _, step, , , ...losses]) =>
    [run, step, ...losses.slice(0, 2)].join()
  );
  assert.deepEqual(found.sort(), expected.sort());
});

Deno.test("main() prints no curve of what does not verify", async () => {
  const { code, text, errors } = await output(["curves", "tests/fixtures/none"]);
  assert.equal(code, 2);
  assert.equal(text, "");
  assert.match(errors, /Could not check: size/);
});
