/** The page for those who use a keyboard, listen, hold a phone or sit in the dark; and what its policy forbids. */
import assert from "node:assert/strict";
import { bundle } from "../../../src/bundle/bundle.ts";
import { EXPERIMENTS_FOLDER } from "../../../src/experiment/catalogue.ts";
import { generateSigningKey, publicKeyPem, type SigningKey } from "../../../src/manifest/keys/keys.ts";
import { reproduceSmoke } from "../../reproduce/smoke.ts";
import { chromiumTest, noChromium } from "../../interop/chromium.ts";
import { VerifierPage } from "./verifier_page.ts";

const key: SigningKey = await generateSigningKey();
const home = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));
const tar = `${home}/smoke.tar`;
if (!noChromium) {
  await reproduceSmoke(`${home}/smoke`, 2, {
    folder: EXPERIMENTS_FOLDER,
    only: ["warmup-length/0%"],
    signingKey: () => Promise.resolve(key),
  });
  await bundle(`${home}/smoke`, { output: tar });
}

/** A node of the tree that screen readers are given. */
interface SpokenNode {
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly ignored: boolean;
}

async function press(page: VerifierPage, key: string, text?: string): Promise<void> {
  const code = key === "Tab" ? 9 : key === "Enter" ? 13 : 32;
  const event = { key, code: key, windowsVirtualKeyCode: code, ...(text === undefined ? {} : { text }) };
  await page.page.send("Input.dispatchKeyEvent", { type: text === undefined ? "rawKeyDown" : "keyDown", ...event });
  await page.page.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
}

/** What has the focus after each press of the tabulator, until it is the last element that was named. */
async function tabThrough(page: VerifierPage, last: string): Promise<string[]> {
  const ids: string[] = [];
  for (let presses = 0; presses < 60 && ids.at(-1) !== last; presses++) {
    await press(page, "Tab");
    ids.push(String(await page.evaluate("document.activeElement.id || document.activeElement.tagName")));
  }
  return ids;
}

chromiumTest("everything is reached and done by the keyboard, with a focus that is seen", async () => {
  await using page = await VerifierPage.open("file");
  assert.deepEqual(await tabThrough(page, "without-checkpoints"), ["A", "files", "folder", "without-checkpoints"]);
  await press(page, " ", " ");
  assert.equal(await page.evaluate("document.getElementById('without-checkpoints').checked"), true);
  await page.check(tar);
  await page.evaluate("document.getElementById('files').focus()");
  const reached = await tabThrough(page, "make-key");
  for (const id of ["key-text", "key-file", "key-check", "count", "seed", "retrain", "make-key"]) {
    assert(reached.includes(id), `${id} is not reached: ${reached.join(" ")}`);
  }
  await page.evaluate("document.getElementById('count').focus()");
  assert.notEqual(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "none");
  await page.setValue("count", "1");
  await press(page, "Enter", "\r");
  await page.until("document.getElementById('outcome').textContent");
  assert.match(await page.text("outcome"), /^Same bits/);
});

chromiumTest("a bundle, a folder and a key are dropped from a file manager", async () => {
  await using page = await VerifierPage.open("file");
  for (const path of [tar, `${home}/smoke`]) {
    await page.navigate();
    await page.drop("drop", [path]);
    const verdict = await page.verdict();
    assert(verdict.startsWith("Verified"), `${path}: ${verdict}`);
    assert.equal(await page.text("name"), path.slice(home.length + 1));
  }
  await Deno.writeTextFile(`${home}/maker.pem`, publicKeyPem(key));
  await page.drop("key-form", [`${home}/maker.pem`]);
  await page.until("document.getElementById('key-text').value !== ''");
  await page.click("key-check");
  assert.match(await page.verdict(), /^Verified: .* the key that you gave signed/);
  // Beside the fields a drop does nothing: it would put the file in the page's place.
  await page.drop("verdict", [tar]);
  assert.match(await page.verdict(), /^Verified/);
  page.assertQuiet();
});

chromiumTest(
  "screen readers get names for all controls, headings in order, and the verdict when it comes",
  async () => {
    await using page = await VerifierPage.open("file");
    await page.check(tar);
    await page.retrain(1);
    await page.page.send("Accessibility.enable");
    const { nodes } = await page.page.send("Accessibility.getFullAXTree") as { nodes: SpokenNode[] };
    const spoken = nodes.filter(({ ignored }) => !ignored);
    const named = (role: string) =>
      spoken.filter((node) => node.role?.value === role).map(({ name }) => name?.value ?? "");
    for (const role of ["button", "checkbox", "textbox", "spinbutton", "progressbar", "Iframe", "region"]) {
      assert(named(role).length > 0, `no ${role}`);
      assert.deepEqual(named(role).filter((name) => name.trim() === ""), [], `a ${role} without a name`);
    }
    for (const id of ["verdict", "outcome", "working", "attested"]) {
      assert.equal(await page.evaluate(`document.getElementById("${id}").getAttribute("role")`), "status", id);
    }
    assert.equal(await page.evaluate(`document.getElementById("problem").getAttribute("role")`), "alert");
    const levels = await page.evaluate(
      `[...document.querySelectorAll("h1, h2, h3")].map(({ tagName }) => +tagName[1])`,
    );
    assert.deepEqual((levels as number[]).filter((level, i, all) => level > (all[i - 1] ?? 0) + 1), []);
    assert.equal(await page.evaluate("document.documentElement.lang"), "en");
  },
);

chromiumTest("the page fits a phone and a desk, in the light and in the dark", async () => {
  await using page = await VerifierPage.open("file");
  for (const [width, dark] of [[390, true], [390, false], [1280, true]] as const) {
    await page.navigate("", width, dark);
    await page.check(tar);
    await page.retrain(1);
    await page.until("document.getElementById('report').contentDocument?.querySelector('svg')");
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert.equal(await page.evaluate(overflow), 0, `overflows at ${width} px`);
    const inFrame = "document.getElementById('report').contentDocument";
    await page.until(`document.getElementById('report').clientHeight >= ${inFrame}.body.scrollHeight`);
    for (const root of ["document", inFrame]) {
      const background = String(await page.evaluate(`getComputedStyle(${root}.body).backgroundColor`));
      const lightness = Number(/\d+/.exec(background)?.[0]);
      assert(dark ? lightness < 80 : lightness > 200, `${background} is no ${dark ? "dark" : "light"} background`);
    }
    const small = await page.evaluate(`[...document.querySelectorAll("button, .button, summary")]
      .filter((control) => control.checkVisibility() && control.getBoundingClientRect().height < 32).length`);
    assert.equal(small, 0, "controls too low for a finger");
  }
  page.assertQuiet();
});

chromiumTest("the policy lets nothing out, and no other script in", async () => {
  await using page = await VerifierPage.open("served");
  const attempt = (code: string) =>
    page.evaluate(`(async () => { try { return String(await (${code})); } catch (error) { return error.name; } })()`);
  for (const address of ["/verify.html", "http://127.0.0.1:9/", "https://example.org/"]) {
    assert.equal(await attempt(`fetch(${JSON.stringify(address)}).then(() => "went out")`), "TypeError", address);
  }
  const loads = (tag: string) =>
    `new Promise((done) => { const made = document.createElement("${tag}"); made.onload = () => done("loaded");
      made.onerror = () => done("refused"); made.src = "/x"; document.body.append(made); })`;
  for (const tag of ["img", "script"]) assert.equal(await attempt(loads(tag)), "refused", tag);
  assert.equal(
    await attempt(`new Promise((done) => { globalThis.ran = "no"; const made = document.createElement("script");
      made.textContent = "globalThis.ran = 'yes'"; document.body.append(made); setTimeout(() => done(globalThis.ran), 50); })`),
    "no",
  );
  // What it answers says nothing: the server's list does, below.
  await attempt(`new Promise((done) => { navigator.sendBeacon("/x"); setTimeout(done, 200); })`);
  assert.equal(
    await attempt(`new Promise((done) => { const socket = new WebSocket("ws://127.0.0.1:9/");
      socket.onerror = () => done("refused"); })`).then((found) => found === "SecurityError" ? "refused" : found),
    "refused",
  );
  assert.deepEqual(page.asked, ["/verify.html"]);
});
