/** `deno task timestamp`: from a plan's request to a verified manifest with both timestamps. */
import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { MANIFEST_TIMESTAMP, PLAN_TIMESTAMP } from "../../src/manifest/format/companions.ts";
import { readRequest } from "../../src/timestamp/request.ts";
import { planMessage } from "../../src/timestamp/message.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { createKeyFile } from "../../src/manifest/keys/key_file.ts";
import { output } from "../cli/output.ts";
import { made, writeFolder } from "../bundle/fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { loadPaper, PAPER_FILE } from "../../src/reproduce/paper_file.ts";
import { Authority } from "./authority.ts";

const authority = await Authority.create();
const RULES = { name: PAPER_FILE, sha256: sha256((await loadPaper({})).text) };

/** Answers the request for a message that lies in a folder. */
async function answer(folder: string, name: string, message: Uint8Array<ArrayBuffer>): Promise<void> {
  const { imprint, nonce = "" } = readRequest(await Deno.readFile(`${folder}/${name.replace(/r$/, "q")}`)) ?? {};
  assert.equal(imprint, sha256(message), "the request is for this");
  const stamp = await authority.stamp(message, { nonce: Uint8Array.fromHex(nonce) });
  await Deno.writeFile(`${folder}/${name}`, stamp);
}

Deno.test("main() asks for a timestamp of plan and rules, then of the manifest, and tells both", () =>
  withFolder(async (folder) => {
    const path = `${folder}/out`;
    await Deno.mkdir(path);
    await Deno.writeTextFile(`${folder}/roots.pem`, authority.rootPem);
    const trusting = ["timestamp", path, "--timestamp-roots", `${folder}/roots.pem`];
    const plan = made.artefacts.get("plan.json") ?? new Uint8Array();
    await Deno.writeFile(`${path}/plan.json`, plan);

    const first = await output(["timestamp", path]);
    assert.equal(first.code, 75);
    assert.match(
      first.text,
      /^There is no timestamp of plan and rules yet, SHA-256 [0-9a-f]{64}\. The request for it is\n/,
    );
    assert.match(
      first.text,
      /\n {2}curl -H "Content-Type: .*" --data-binary @.*plan\.tsq \\\n {4}-o .*plan\.tsr URL\n/,
    );
    const request = await Deno.readFile(`${path}/timestamps/plan.tsq`);
    assert.equal((await output(["timestamp", path])).code, 75);
    assert.deepEqual(
      await Deno.readFile(`${path}/timestamps/plan.tsq`),
      request,
      "one request, however often it is asked",
    );

    const message = planMessage({ name: "plan.json", sha256: sha256(plan) }, RULES);
    await Deno.writeFile(`${path}/${PLAN_TIMESTAMP}`, await authority.stamp(message, { nonce: new Uint8Array([64]) }));
    await assert.rejects(main(trusting), { code: "BAD_TIMESTAMP", message: /does not answer .*plan\.tsq": its nonce/ });
    await answer(path, PLAN_TIMESTAMP, message);
    const second = await output(trusting);
    assert.equal(second.code, 0, second.text);
    assert.match(second.text, /^plan and rules existed by 2026-.*, says "An authority" \(which leads to a root that/);

    await writeFolder(path);
    assert.equal((await output(["timestamp", path])).code, 75);
    await answer(path, MANIFEST_TIMESTAMP, await Deno.readFile(`${path}/manifest.dsse.json`));
    const third = JSON.parse((await output([...trusting, "--json"])).text);
    assert.equal(third.what, "the manifest");
    assert.equal(third.timestamp.isTrusted, true);
  }));

Deno.test("main() refuses a response that is of something else, by an authority that is not trusted, or no folder's", () =>
  withFolder(async (folder) => {
    await writeFolder(folder, ["plan.json"]);
    await Deno.remove(`${folder}/manifest.dsse.json`);
    const other = await Authority.create();
    await Deno.writeTextFile(`${folder}/roots.pem`, other.rootPem);
    await Deno.mkdir(`${folder}/timestamps`);
    const plan = made.artefacts.get("plan.json") ?? new Uint8Array();
    const stamp = (sha: typeof RULES.sha256) =>
      authority.stamp(planMessage({ name: "plan.json", sha256: sha }, RULES)).then((bytes) =>
        Deno.writeFile(`${folder}/${PLAN_TIMESTAMP}`, bytes)
      );
    await stamp(RULES.sha256);
    await assert.rejects(main(["timestamp", folder]), {
      code: "BAD_TIMESTAMP",
      message: /is of something else.*remove it/,
    });
    await stamp(sha256(plan));
    assert.equal((await output(["timestamp", folder])).code, 0);
    const trusting = ["timestamp", folder, "--timestamp-roots", `${folder}/roots.pem`];
    await assert.rejects(main(trusting), { code: "BAD_TIMESTAMP", message: /does not lead to a root that you trust/ });
    await assert.rejects(main(["timestamp", `${folder}/none`]), { code: "NO_PLAN" });
    await assert.rejects(main(["timestamp"]), { code: "MISSING_ARGUMENT" });
    const bad = ["timestamp", folder, "--timestamp-roots", `${folder}/plan.json`];
    await assert.rejects(main(bad), { code: "BAD_CERTIFICATES" });
  }));

Deno.test("main() trains with --timestamp only when plan and rules have one, and asks for the manifest's afterwards", () =>
  withFolder(async (folder) => {
    const path = `${folder}/out`;
    await Deno.writeTextFile(`${folder}/roots.pem`, authority.rootPem);
    await createKeyFile(`${folder}/key.pem`);
    const words = ["reproduce", "--scale", "smoke", "--only", "upstream", "--threads", "1", "--out", path];
    const all = [...words, "--key", `${folder}/key.pem`, "--timestamp", "--timestamp-roots", `${folder}/roots.pem`];
    await assert.rejects(output(all), {
      code: "NO_TIMESTAMP",
      message:
        /^Nothing is trained before plan and rules have a timestamp: There is no timestamp of plan and rules yet/,
    });
    await assert.rejects(Deno.stat(`${path}/runs`), Deno.errors.NotFound);
    const plan = await Deno.readFile(`${path}/plan.json`);
    await answer(path, PLAN_TIMESTAMP, planMessage({ name: "plan.json", sha256: sha256(plan) }, RULES));
    const { code, text } = await output(all);
    assert.equal(code, 0, text);
    assert.match(text, /\nThere is no timestamp of the manifest yet, SHA-256 [0-9a-f]{64}\. The request for it is\n/);
    await answer(path, MANIFEST_TIMESTAMP, await Deno.readFile(`${path}/manifest.dsse.json`));
    const verified = await output(["verify", path, "--timestamp-roots", `${folder}/roots.pem`]);
    assert.equal(verified.code, 0, verified.text);
    assert.match(verified.text, /\n {2}timestamps {4}ok {11}plan and rules existed by 2026-06-01T12:00:00.000Z/);
    await assert.rejects(main([...words, "--timestamp-roots", `${folder}/roots.pem`]), { code: "UNUSED_OPTION" });
  }));
