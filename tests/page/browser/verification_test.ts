/** Verification in the page: what is good, what was changed, whose key it is, and what no bundle is. */
import assert from "node:assert/strict";
import { bundle } from "../../../src/bundle/bundle.ts";
import { generateSigningKey, type SigningKey } from "../../../src/manifest/keys/keys.ts";
import { formatVerification } from "../../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../../src/manifest/verify/verify_file.ts";
import { verificationMeans } from "../../../src/reproduce/verification_means.ts";
import { reproduceSmoke } from "../../reproduce/smoke.ts";
import { EXPERIMENTS_FOLDER } from "../../../src/experiment/catalogue.ts";
import { ignore, testPage, VerifierPage } from "./verifier_page.ts";

const key: SigningKey = await generateSigningKey();
const home = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));
const folder = `${home}/smoke`, tar = `${home}/smoke.tar`;
if (!ignore) {
  const only = ["warmup-length/0%", "max-learning-rate/2x"];
  await reproduceSmoke(folder, 1, { folder: EXPERIMENTS_FOLDER, signingKey: () => Promise.resolve(key), only });
  await bundle(folder, { output: tar });
}

testPage("a good bundle is verified as the terminal does it, and its claims are drawn", async () => {
  const terminal = formatVerification(await verifyManifestFile(tar, await verificationMeans())).trimEnd();
  await using page = await VerifierPage.open("file");
  assert.match(await page.check(tar), /^Verified: what the manifest says is what key [0-9a-f]{64} signed/);
  const shown = await page.text("text");
  // The one difference: where the file lies is the browser's secret.
  assert.equal(shown.replace("/given/smoke.tar", tar), terminal);
  assert.equal((await page.steps()).length, 16);
  await page.until("document.querySelector('#report').contentDocument?.querySelector('svg')");
  page.assertQuiet();
});
