/**
 * `deno task evidence FOLDER`: publishes a finished reproduction as the evidence of this version, in `evidence/SCALE/`. Its
 * manifest is signed by a key that is made for this and kept nowhere.
 */
import { parsePaths } from "../src/cli/typed_paths.ts";
import { outputFolder } from "../src/cli/commands/status.ts";
import { EXIT } from "../src/errors.ts";
import { publishEvidence } from "../src/reproduce/publish_evidence.ts";
import { groupedNumber } from "../src/text/numbers.ts";

const { positionals } = parsePaths(Deno.args, {}, 1);
const output = outputFolder(positionals);
const published = await publishEvidence({
  output,
  evidence: "evidence",
  places: { dataCache: ".cache/data" },
  command: ["evidence", output],
});
if (published === undefined) {
  console.error("Runs are missing: deno task status says which");
  Deno.exit(EXIT.waiting);
}
const { folder, bundle, keyId } = published;
console.log(`${folder}: a bundle of ${groupedNumber(bundle.bytes)} bytes, signed by key ${keyId}`);
