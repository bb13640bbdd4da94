/** Verification in the page: what is good, what was changed, whose key it is, and what is no bundle at all. */
import assert from "node:assert/strict";
import { bundle } from "../../../src/bundle/bundle.ts";
import { EXPERIMENTS_FOLDER } from "../../../src/experiment/catalogue.ts";
import { generateSigningKey, publicKeyPem, type SigningKey } from "../../../src/manifest/keys/keys.ts";
import { formatVerification, VERIFICATION_STEPS } from "../../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../../src/manifest/verify/verify_file.ts";
import { verificationMeans } from "../../../src/reproduce/verification_means.ts";
import { PAGE, verifierPage } from "../../../tools/page/build.ts";
import { END, entry, forgeHeader, join } from "../../formats/tar/hostile.ts";
import { reproduceSmoke } from "../../reproduce/smoke.ts";
import { chromiumTest, noChromium } from "../../interop/chromium.ts";
import { ROOT, VerifierPage } from "./verifier_page.ts";

const key: SigningKey = await generateSigningKey();
const home = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));
const folder = `${home}/smoke`, tar = `${home}/smoke.tar`;
if (!noChromium) {
  const only = ["warmup-length/0%", "max-learning-rate/2x"];
  await reproduceSmoke(folder, 1, { folder: EXPERIMENTS_FOLDER, signingKey: () => Promise.resolve(key), only });
  await bundle(folder, { output: tar });
}

/** Text that would be markup, or would turn the reading direction, if it were not made harmless. */
const HOSTILE = "<img src=x onerror=document.title='pwned'>\u202egpj.exe";

async function assertHarmless(page: VerifierPage): Promise<void> {
  assert.match(String(await page.evaluate("document.title")), /^Check a reproduction/);
  assert.equal(await page.evaluate("document.querySelectorAll('main img, main script').length"), 0);
  page.assertQuiet();
}

Deno.test({
  name: "the same bundles give the same page, to the byte",
  ignore: noChromium,
  fn: async () => assert.equal(await verifierPage(), await Deno.readTextFile(new URL(PAGE, ROOT))),
});

chromiumTest("a good bundle is verified as the terminal does it, and its claims are drawn", async () => {
  const terminal = formatVerification(await verifyManifestFile(tar, await verificationMeans())).trimEnd();
  await using page = await VerifierPage.open("file");
  assert.match(await page.check(tar), /^Verified: what the manifest says is what key [0-9a-f]{64} signed/);
  // The one difference: where the file lies is the browser's secret.
  assert.equal((await page.text("text")).replace("/given/smoke.tar", tar), terminal);
  assert.equal((await page.steps()).length, VERIFICATION_STEPS.length);
  assert.deepEqual([...new Set((await page.steps()).map(({ mark }) => mark))], ["ok", "not checked"]);
  await page.until("document.getElementById('report').contentDocument?.querySelector('svg')");
  assert.equal(await page.evaluate("document.getElementById('report').contentDocument.scripts.length"), 0);
  assert.equal(await page.evaluate("document.getElementById('report').sandbox.value"), "allow-same-origin");
  page.assertQuiet();
});

chromiumTest("a folder is verified as the bundle of it, and a manifest alone is not", async () => {
  await using page = await VerifierPage.open("file");
  await page.choose("folder", [folder]);
  assert.match(await page.verdict(), /^Verified: /);
  assert.equal(await page.text("name"), "smoke");
  assert.match(await page.check(`${folder}/manifest.dsse.json`), /^(Failed|Could not check): .*artefacts/);
  assert.equal(await page.isShown("report"), false);
  page.assertQuiet();
});

chromiumTest("manifests of earlier versions are verified, and drawn where they say enough", async () => {
  await using page = await VerifierPage.open("file");
  for (const [version, isDrawn] of [["v1", false], ["v2", true]] as const) {
    await page.navigate();
    await page.click("without-checkpoints");
    await page.choose("folder", [decodeURIComponent(new URL(`tests/fixtures/manifests/${version}`, ROOT).pathname)]);
    assert.match(await page.verdict(), /^Verified/, version);
    await page.until("document.getElementById('drawing').checkVisibility()");
    assert.equal(await page.isShown("report"), isDrawn, version);
    if (!isDrawn) assert.match(await page.text("not-drawn"), /does not hold what its figures are drawn from/);
  }
  page.assertQuiet();
});

chromiumTest("a byte that was changed fails, and nothing is drawn of it", async (temporary) => {
  const bytes = await Deno.readFile(tar);
  const at = new TextDecoder("latin1").decode(bytes).indexOf('"points"');
  bytes[at + 1] = 0x50;
  await Deno.writeFile(`${temporary}/changed.tar`, bytes);
  await using page = await VerifierPage.open("file");
  assert.match(await page.check(`${temporary}/changed.tar`), /^Failed: artefacts/);
  assert.equal((await page.step("artefacts")).mark, "FAILED");
  assert.match(await page.text("not-drawn"), /only of what is verified/);
  for (const id of ["report", "retraining", "attesting"]) assert.equal(await page.isShown(id), false, id);
  page.assertQuiet();
});

chromiumTest("a key that the reader knows is asked for: the maker's, another's, and what is no key", async () => {
  await using page = await VerifierPage.open("file");
  await page.check(tar);
  assert.equal((await page.step("signer")).mark, "not checked");
  const checkAgainst = async (text: string) => {
    await page.setValue("key-text", text);
    await page.click("key-check");
    return await page.verdict();
  };
  assert.match(await checkAgainst(publicKeyPem(key)), /^Verified: .* the key that you gave signed/);
  assert.equal((await page.step("signer")).mark, "ok");
  assert.match(await checkAgainst(publicKeyPem(await generateSigningKey())), /^Failed: signer/);
  assert.match(await checkAgainst(HOSTILE), /is no Ed25519 public key in PEM/);
  assert.match(
    await checkAgainst(`${publicKeyPem(key)}\n${publicKeyPem(key)}`),
    /has 2 PEM blocks, and a file holds one key/,
  );
  await page.click("key-forget");
  assert.match(await page.verdict(), /^Verified: what the manifest says is what key/);
  await assertHarmless(page);
});

chromiumTest(
  "hostile and oversized files end in one sentence each, before anything is allocated for them",
  async (temporary) => {
    const write = async (name: string, bytes: Uint8Array) => {
      await Deno.writeFile(`${temporary}/${name}`, bytes);
      return `${temporary}/${name}`;
    };
    const sparse = async (name: string, bytes: number, start: Uint8Array = new Uint8Array()) => {
      const path = await write(name, start);
      await Deno.truncate(path, bytes);
      return path;
    };
    const cases: readonly (readonly [what: string, path: string, expected: RegExp])[] = [
      [
        "a name that climbs",
        await write("a.tar", join(entry("top/../../x", "x"), END)),
        /only those are read/,
      ],
      [
        "markup for a name",
        await write("b.tar", join(entry(`top/${HOSTILE}`, "x"), END)),
        /only those are read/,
      ],
      ["a link", await write("c.tar", join(entry("top/x", "", { type: "2" }), END)), /only those are read/],
      [
        "8 GiB by its own word",
        await write("d.tar", join(forgeHeader("top/x", 8 ** 11 - 1), END)),
        /only those are read/,
      ],
      [
        "a manifest of 6 GiB",
        await sparse("e.json", 6 * 2 ** 30),
        /has \d+ bytes or more, and at most 33554432 are allowed/,
      ],
      [
        "a bundle of 6 GiB of nothing",
        await sparse("f.tar", 6 * 2 ** 30, entry("top/manifest.dsse.json", "{}")),
        /only those are read/,
      ],
      ["gzip", await write("g.tar.gz", Uint8Array.of(0x1f, 0x8b, 8, 0)), /is compressed \(gzip\): decompress it first/],
      ["nothing", await write("h.json", new Uint8Array()), /not strict JSON/],
      [
        "deep JSON",
        await write("i.json", new TextEncoder().encode("[".repeat(100_000))),
        /not strict JSON|no DSSE envelope/,
      ],
      [
        "an envelope of markup",
        await write(
          "j.json",
          new TextEncoder().encode(JSON.stringify({
            payloadType: HOSTILE,
            payload: "",
            signatures: [{ keyid: HOSTILE, sig: "AA==" }],
          })),
        ),
        /./,
      ],
    ];
    await using page = await VerifierPage.open("file");
    for (const [what, path, expected] of cases) {
      const found = await page.check(path);
      const details = (await page.steps()).map(({ detail }) => detail).join("\n");
      assert.doesNotMatch(found, /^Verified/, what);
      assert.doesNotMatch(`${found}${details}`, /bug of its own|\n\s+at /, what);
      assert.match(`${found}\n${details}`, expected, what);
      assert(!`${found}${details}`.includes("\u202e"), what);
    }
    await assertHarmless(page);
  },
);

chromiumTest("several manifests, or none, are told apart from one", async (temporary) => {
  for (const name of ["a", "b"]) {
    await Deno.mkdir(`${temporary}/given/${name}`, { recursive: true });
    await Deno.writeTextFile(`${temporary}/given/${name}/manifest.dsse.json`, "{}");
  }
  await using page = await VerifierPage.open("file");
  await page.choose("folder", [`${temporary}/given`]);
  assert.match(await page.verdict(), /^There are 2 manifests in what was given: drop one folder at a time$/);
  assert.match(
    await page.check(`${folder}/plan.json`, `${folder}/paper.yaml`),
    /^There is no manifest\.dsse\.json among the 2 files/,
  );
  // The page goes on after a problem.
  assert.match(await page.check(tar), /^Verified/);
  page.assertQuiet();
});

chromiumTest(
  "?url= takes a bundle, or a manifest with the files beside it, of the page's own origin alone",
  async () => {
    const serve = async (path: string) => {
      if (path === "/huge.tar") {
        return new Response(new ReadableStream(), { headers: { "content-length": String(2 ** 40) } });
      }
      if (path === "/away.tar") return Response.redirect("http://127.0.0.1:9/elsewhere.tar");
      const file = path === "/smoke.tar" ? tar : `${home}${path}`;
      return await Deno.readFile(file).then((bytes) => new Response(bytes), () => new Response(null, { status: 404 }));
    };
    await using page = await VerifierPage.open("served", { serve });
    const look = async (url: string) => {
      page.asked.splice(0);
      page.page.events.splice(0);
      await page.navigate(`?url=${encodeURIComponent(url)}`);
      const found = await page.verdict();
      const details = (await page.steps()).map(({ detail }) => detail).join("\n");
      return { found: `${found}\n${details}`, asked: [...page.asked], requests: page.requests() };
    };
    const ofBundle = await look("smoke.tar");
    assert.match(ofBundle.found, /^Verified/);
    assert.deepEqual(ofBundle.asked, ["/verify.html", "/smoke.tar"]);
    const ofManifest = await look("/smoke/manifest.dsse.json");
    assert.match(ofManifest.found, /^Verified/);
    assert(ofManifest.asked.length > 20, `${ofManifest.asked.length} requests`);
    assert(ofManifest.asked.slice(1).every((path) => path.startsWith("/smoke/")), ofManifest.asked.join(" "));
    for (
      const [url, expected] of [
        ["http://127.0.0.1:9/x.tar", /is not where this page comes from/],
        ["data:,x", /is not where this page comes from/],
        ["missing.tar", /there is no such file/i],
        ["huge.tar", /has more than 2147483648 bytes/],
        ["away.tar", /could not be fetched/],
      ] as const
    ) {
      const { found, requests } = await look(url);
      assert.match(found, expected, url);
      assert(requests.every((request) => new URL(request).origin !== "http://127.0.0.1:9"), url);
    }
  },
);
