import assert from "node:assert/strict";
import { denoProblem, NEEDED_DENO } from "../../src/cli/deno_version.ts";

for (const found of [NEEDED_DENO, Deno.version.deno, "2.9.1", "2.10.0", "3.0.0", "2.9.6+1a2b3c4", "2.9.0-rc.1"]) {
  Deno.test(`denoProblem() takes Deno ${found}`, () => {
    assert.equal(denoProblem(found), undefined);
  });
}

for (const found of ["1.46.3", "2.0.6", "2.8.99", "2.8.3+1a2b3c4"]) {
  Deno.test(`denoProblem() refuses Deno ${found}, and names both versions`, () => {
    const problem = denoProblem(found);
    assert.equal(problem?.code, "DENO_TOO_OLD");
    assert.match(problem?.message ?? "", new RegExp(`Deno ${found.replaceAll(/[.+]/g, "\\$&")}, .* Deno 2\\.9\\.0 or`));
  });
}

Deno.test("main.ts imports what an older Deno reads too, and all else when the version is known", async () => {
  const seen = new Set<string>();
  const visit = async (url: URL): Promise<void> => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const text = await Deno.readTextFile(url);
    assert.doesNotMatch(text, /\bwith \{ type:/, `${url}`);
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export)\b[^;]*? from "([^"]+)"/gm)) {
      assert.match(specifier, /^\.{1,2}\//, `${url} imports no package before the version is known`);
      await visit(new URL(specifier, url));
    }
  };
  await visit(new URL("../../src/cli/main.ts", import.meta.url));
  assert(seen.size >= 4 && seen.size < 10, `${seen.size} files`);
});
