import assert from "node:assert/strict";
import { readReviewers } from "../../src/attestation/reviewers.ts";
import { publicKeyPem } from "../../src/manifest/keys/keys.ts";
import { withFolder } from "../temporary_folder.ts";
import { ada, grace } from "./fixture.ts";

const inline = (key: { spki: Uint8Array }) => `publicKey: ${key.spki.toBase64()}`;

async function withList(text: string, use: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/keys`);
    Deno.writeTextFileSync(`${folder}/keys/ada.pub.pem`, publicKeyPem(ada));
    Deno.writeTextFileSync(`${folder}/reviewers.yaml`, text.replaceAll("FOLDER", folder));
    await use(`${folder}/reviewers.yaml`);
  });
}

for (const keyFile of ["keys/ada.pub.pem", "FOLDER/keys/ada.pub.pem"]) {
  Deno.test(`readReviewers() reads keys in the list, and in files such as ${keyFile}`, () =>
    withList(`reviewers:\n- name: Ada\n  keyFile: ${keyFile}\n- name: Grace\n  ${inline(grace)}\n`, async (path) => {
      const found = await readReviewers(path);
      assert.deepEqual(found.map(({ name, key }) => [name, key.keyId]), [["Ada", ada.keyId], ["Grace", grace.keyId]]);
    }));
}

for (
  const { what, text, code, message } of [
    { what: "no YAML", text: "reviewers: [", code: "YAML_SYNTAX", message: /not valid YAML in line/ },
    { what: "an empty file", text: "", code: "INVALID_FIELD", message: /the document is empty, expected a mapping/ },
    { what: "no reviewer", text: "reviewers: []", code: "INVALID_FIELD", message: /expected at least 1 entries/ },
    {
      what: "an unknown member",
      text: `reviewers:\n- name: Ada\n  ${inline(ada)}\n  keyfile: a.pem\n`,
      code: "INVALID_FIELD",
      message: /unknown key reviewers\[0\]\.keyfile: did you mean "keyFile"/,
    },
    {
      what: "no name",
      text: `reviewers:\n- ${inline(ada)}\n`,
      code: "INVALID_FIELD",
      message: /reviewers\[0\]\.name is missing, expected text/,
    },
    {
      what: "no key",
      text: "reviewers:\n- name: Ada\n",
      code: "INVALID_FIELD",
      message: /reviewers\[0\] is a mapping, expected either "keyFile" or "publicKey"/,
    },
    {
      what: "two keys in one place",
      text: `reviewers:\n- name: Ada\n  ${inline(ada)}\n  keyFile: keys/ada.pub.pem\n`,
      code: "INVALID_FIELD",
      message: /expected either "keyFile" or "publicKey"/,
    },
    {
      what: "a key that is no base64",
      text: "reviewers:\n- name: Ada\n  publicKey: '---'\n",
      code: "INVALID_FIELD",
      message: /reviewers\[0\]\.publicKey is "---", expected a public key \(SPKI\) in base64/,
    },
    {
      what: "a key of another kind",
      text: "reviewers:\n- name: Ada\n  publicKey: AAAA\n",
      code: "KEY_UNREADABLE",
      message: /the public key of "Ada" is no Ed25519 key in SPKI/,
    },
    {
      what: "a key of small order, for which anyone can sign",
      text: "reviewers:\n- name: Ada\n  publicKey: MCowBQYDK2VwAyEAxxdqcD1N2E+6PAt2DRBnDyogU/osOczGTsf9d5KsA/o=\n",
      code: "KEY_REFUSED",
      message: /the public key of "Ada" is an Ed25519 key that is of small order: no key generator makes such a key/,
    },
    {
      what: "a key in another encoding than its own",
      text: "reviewers:\n- name: Ada\n  publicKey: MCowBQYDK2VwAyEA7P////////////////////////////////////////8=\n",
      code: "KEY_REFUSED",
      message: /is not in its canonical encoding/,
    },
    {
      what: "the key __proto__",
      text: `reviewers:\n- name: Ada\n  ${inline(ada)}\n  __proto__: x\n`,
      code: "INVALID_FIELD",
      message: /unknown key reviewers\[0\]\.__proto__/,
    },
    {
      what: "a key file that is not there",
      text: "reviewers:\n- name: Ada\n  keyFile: nowhere.pem\n",
      code: "FILE_NOT_FOUND",
      message: /nowhere\.pem/,
    },
    {
      what: "a key under two names",
      text: `reviewers:\n- name: Ada\n  ${inline(ada)}\n- name: Countess\n  keyFile: keys/ada.pub.pem\n`,
      code: "REVIEWER_TWICE",
      message: /"Ada" and "Countess" have the same key/,
    },
    {
      what: "a name with two keys",
      text: `reviewers:\n- name: Ada\n  ${inline(ada)}\n- name: Ada\n  ${inline(grace)}\n`,
      code: "REVIEWER_TWICE",
      message: /there are two reviewers "Ada"/,
    },
  ]
) {
  Deno.test(`readReviewers() explains what is wrong with ${what}`, () =>
    withList(text, async (path) => {
      await assert.rejects(readReviewers(path), { name: "UserError", code, message });
    }));
}
