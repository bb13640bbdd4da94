/** The published evidence in the page: what a reviewer with nothing but a browser does. */
import assert from "node:assert/strict";
import { chromiumTest } from "../../interop/chromium.ts";
import { ROOT, VerifierPage } from "./verifier_page.ts";

const BUNDLE = decodeURIComponent(new URL("evidence/tiny/bundle.tar", ROOT).pathname);
/** Draws the first 154 steps of a pre-training, the shortest segment that starts from random weights. */
const SEED = "0000000000000000000000000000007b";

chromiumTest("evidence/tiny is verified in the page, and a segment gives the recorded bits", async () => {
  await using page = await VerifierPage.open("isolated");
  await page.evaluate("document.getElementById('without-checkpoints').checked = true");
  assert.match(await page.check(BUNDLE), /^Verified: /);
  assert.match(await page.retrain(1, SEED), /^Same bits: 1 of 171 segments retrained, 154 steps/);
  page.assertQuiet();
});
