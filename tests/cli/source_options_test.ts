import { deepEqual, equal, throws } from "node:assert/strict";
import { filesFromOptions } from "../../src/cli/options/source_options.ts";
import { userError } from "../data/user_error.ts";
import { present } from "../present.ts";

Deno.test("filesFromOptions() gives both corpora and their tokenizer, or nothing", () => {
  equal(filesFromOptions({}), undefined);
  const files = { upstream: ["a.txt"], downstream: ["b.txt"] };
  deepEqual(present(filesFromOptions(files)), files);
  deepEqual(filesFromOptions({ ...files, tokenizer: "t.json" }), { ...files, tokenizer: "t.json" });
});

Deno.test("filesFromOptions() refuses half of the corpora, and a tokenizer without them", () => {
  throws(() => filesFromOptions({ upstream: ["a.txt"] }), userError("MISSING_CORPUS", "downstream"));
  throws(
    () => filesFromOptions({ downstream: ["b.txt"], tokenizer: "t.json" }),
    userError("MISSING_CORPUS", "upstream"),
  );
  throws(() => filesFromOptions({ tokenizer: "t.json" }), userError("UNUSED_OPTION", "--tokenizer", "--upstream"));
});
