import assert from "node:assert/strict";
import { main } from "../../src/cli/main.ts";
import { output } from "../cli/output.ts";
import { createKeyFile } from "../../src/manifest/keys/key_file.ts";
import { honest } from "../retrain/forgery.ts";
import { toPem } from "../../src/manifest/keys/pem.ts";
import { withFolder } from "../temporary_folder.ts";

const MANIFEST = `${honest}/manifest.dsse.json`;

Deno.test("main() attests what it verified and retrained, and verifies by what reviewers attested", () =>
  withFolder(async (folder) => {
    for (const name of ["ada", "grace"]) await createKeyFile(`${folder}/${name}.pem`);
    const list = `${folder}/reviewers.yaml`;
    const entry = (name: string) => `- name: ${name}\n  keyFile: ${name}.pub.pem\n`;
    Deno.writeTextFileSync(list, `reviewers:\n${entry("ada")}${entry("grace")}`);
    const required = ["verify", MANIFEST, "--require", "2", "--keys", list];

    const first = await output(["attest", MANIFEST, "--key", `${folder}/ada.pem`, "--retrain", "1", "--threads", "1"]);
    assert.equal(first.code, 0, first.text);
    assert.match(first.text, /^Attested {4}.*\/attestations\/[0-9a-f]{64}\.dsse\.json$/m);
    const alone = await output(required);
    assert.equal(alone.code, 1, alone.text);
    assert.match(alone.text, /^Failed: attestations$/m);

    const second = await output(["attest", honest, "--key", `${folder}/grace.pem`, "--json"]);
    assert.equal(second.code, 0, second.text);
    const { attestation } = JSON.parse(second.text);
    assert.ok(Deno.statSync(attestation.file).isFile);
    const both = await output(required);
    assert.equal(both.code, 0, both.text);
    assert.match(both.text, /^Verified: .*; attested by ada and grace$/m);
    assert.match(both.text, /^ada attests, at 20.*Z: 1 of \d+ segments retrained; and leaves open:\n {2}- /m);
    const retrained = await output([...required, "--require-retrain", "1", "--json"]);
    assert.equal(retrained.code, 1, retrained.text);
    assert.deepEqual(
      // deno-lint-ignore no-explicit-any -- JSON that the command printed
      JSON.parse(retrained.text).reviews.map(({ reviewer, status }: any) => [reviewer, status]),
      [["ada", "counts"], ["grace", "refused"]],
    );
  }));

Deno.test("main() refuses a file of two public keys, and a key for which anyone can sign", () =>
  withFolder(async (folder) => {
    for (const name of ["ada", "grace"]) await createKeyFile(`${folder}/${name}.pem`);
    const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}.pub.pem`);
    Deno.writeTextFileSync(`${folder}/both.pem`, read("ada") + read("grace"));
    const small = Uint8Array.fromHex(`302a300506032b6570032100${"00".repeat(32)}`);
    Deno.writeTextFileSync(`${folder}/small.pem`, toPem("PUBLIC KEY", small));
    const verify = (name: string) => main(["verify", MANIFEST, "--public-key", `${folder}/${name}.pem`]);
    await assert.rejects(verify("both"), {
      code: "SEVERAL_KEYS",
      message: /both\.pem" has 2 PEM blocks, .*A\.pem B\.pem/,
    });
    await assert.rejects(verify("small"), {
      code: "KEY_REFUSED",
      message: /small\.pem" is an Ed25519 key that is of small/,
    });
  }));

Deno.test("main() attests nothing that failed, and says so", () =>
  withFolder(async (folder) => {
    await createKeyFile(`${folder}/ada.pem`);
    await createKeyFile(`${folder}/other.pem`);
    const { code, text } = await output([
      ...["attest", MANIFEST, "--key", `${folder}/other.pem`, "--public-key", `${folder}/ada.pub.pem`],
    ]);
    assert.equal(code, 1, text);
    assert.match(text, /^Failed: signer\nNot attested: only what is verified is$/m);
  }));

for (
  const { args, code } of [
    { args: ["attest"], code: "MISSING_ARGUMENT" },
    { args: ["attest", MANIFEST], code: "MISSING_ARGUMENT" },
    { args: ["attest", MANIFEST, "--key", "nowhere.pem"], code: "FILE_NOT_FOUND" },
    { args: ["attest", MANIFEST, "--require", "1"], code: "UNKNOWN_OPTION" },
    { args: ["verify", MANIFEST, "--require", "1"], code: "MISSING_ARGUMENT" },
    { args: ["verify", MANIFEST, "--require", "none", "--keys", "a.yaml"], code: "BAD_NUMBER" },
    { args: ["verify", MANIFEST, "--keys", "a.yaml"], code: "UNUSED_OPTION" },
    { args: ["verify", MANIFEST, "--require-retrain", "5"], code: "UNUSED_OPTION" },
    { args: ["verify", MANIFEST, "--require", "1", "--keys", "nowhere.yaml"], code: "FILE_NOT_FOUND" },
  ]
) {
  Deno.test(`main() explains what is wrong with "${args.map((word) => word.replace(honest, "out")).join(" ")}"`, async () => {
    await assert.rejects(main(args), { name: "UserError", code });
  });
}
