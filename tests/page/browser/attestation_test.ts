/** An attestation made in the page, which the command line counts. */
import assert from "node:assert/strict";
import { requireAttestations } from "../../../src/attestation/require.ts";
import { EXPERIMENTS_FOLDER } from "../../../src/experiment/catalogue.ts";
import { importVerifyingKey } from "../../../src/manifest/keys/keys.ts";
import { formatVerification } from "../../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../../src/manifest/verify/verify_file.ts";
import { verificationMeans } from "../../../src/reproduce/verification_means.ts";
import { reproduceSmoke } from "../../reproduce/smoke.ts";
import { chromiumTest } from "../../interop/chromium.ts";
import { VerifierPage } from "./verifier_page.ts";

chromiumTest(
  "an attestation is signed by a key that the browser keeps, and counts in a terminal",
  async (temporary) => {
    const folder = `${temporary}/smoke`, downloads = `${temporary}/downloads`;
    await reproduceSmoke(folder, 2, { folder: EXPERIMENTS_FOLDER, only: ["warmup-length/0%"] });
    await Deno.mkdir(downloads);
    await using page = await VerifierPage.open("isolated");
    await page.page.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
    await page.choose("folder", [folder]);
    assert.match(await page.verdict(), /^Verified/);
    assert.equal(await page.evaluate("document.getElementById('attest').disabled"), true);
    await page.click("make-key");
    await page.until("!document.getElementById('attest').disabled");
    assert.match(await page.retrain(2), /^Same bits/);
    await page.until("!document.getElementById('attest').disabled");
    await page.click("attest");
    await page.until("document.getElementById('attestation')");
    await page.click("attestation");

    const spki = String(await page.evaluate("document.querySelector('#key-state code').textContent"));
    const key = await importVerifyingKey(Uint8Array.fromBase64(spki), "the browser's key");
    const name = `${key.keyId}.dsse.json`;
    const file = `${downloads}/${name}`;
    const isThere = async () => await Deno.stat(file).then(({ size }) => size > 0, () => false);
    for (let attempt = 0; attempt < 200 && !await isThere(); attempt++) {
      await new Promise((next) => setTimeout(next, 25));
    }
    await Deno.mkdir(`${folder}/attestations`);
    await Deno.copyFile(file, `${folder}/attestations/${name}`);

    const verifyWith = async (retrain: number) =>
      await verifyManifestFile(`${folder}/manifest.dsse.json`, {
        ...await verificationMeans(),
        countAttestations: requireAttestations({ count: 1, reviewers: [{ name: "Ada", key }], retrain }),
      });
    const report = await verifyWith(2);
    assert.equal(report.verdict, "verified", formatVerification(report));
    assert.equal(report.reviews?.[0]?.status, "counts", formatVerification(report));
    assert.match(report.reviews[0].detail, /^2 of \d+ segments retrained$/);
    // What was not done is not attested either.
    assert.equal((await verifyWith(3)).verdict, "failed");
    const { payload } = JSON.parse(await Deno.readTextFile(file));
    const { predicate } = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload)));
    assert.equal(predicate.rewarm.environment.deno, "none");
    assert.match(predicate.rewarm.environment.libraries.browser, /Chrome\/\d+/);

    // The key stays where it is: it is there when the page is opened again, and nobody copies it out.
    await page.navigate();
    await page.until("document.querySelector('#key-state code')");
    assert.equal(await page.evaluate("document.querySelector('#key-state code').textContent"), spki);
    const copy = await page.evaluate(`new Promise((resolve) => {
    indexedDB.open("rewarm-verifier", 1).onsuccess = ({ target }) => {
      target.result.transaction("keys").objectStore("keys").get("reviewer").onsuccess = ({ target }) =>
        crypto.subtle.exportKey("pkcs8", target.result.privateKey).then(() => resolve("copied"), ({ name }) => resolve(name));
    };
  })`);
    assert.equal(copy, "InvalidAccessError");
    await page.click("forget-key");
    await page.until("document.getElementById('key-state').textContent.includes('no key of yours')");
    assert.equal(await page.evaluate("document.getElementById('make-key').hidden"), false);
    assert.deepEqual(page.complaints(), []);
  },
);
