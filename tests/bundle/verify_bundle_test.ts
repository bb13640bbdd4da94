/** Bundles from strangers: never a wrong "verified", never an exception. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readTarIndex } from "../../src/formats/tar/tar_index.ts";
import { canonicalJson } from "../../src/digest/canonical_json.ts";
import { formatVerification } from "../../src/manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { END, entry, join, padded, paxEntry } from "../formats/tar/hostile.ts";
import { testJudge } from "../manifest/fixture.ts";
import { withFolder } from "../temporary_folder.ts";
import { made, pack, writeFolder } from "./fixture.ts";

const options = { judge: testJudge, trustedKeys: [{ name: "the maker", key: made.key }] };

/** A bundle of the fixture: its bytes, its top folder, and where each file's contents stand. */
async function makeArchive(folder: string, checkpoints = ["all"]) {
  await writeFolder(`${folder}/out`);
  const { path, folder: top } = await pack(`${folder}/out`, { checkpoints });
  return { path, top, bytes: await Deno.readFile(path), index: await readTarIndex(path) };
}

const manifest = new TextEncoder().encode(made.envelope);

Deno.test("verifyManifestFile() fails with the reason at an archive that is no bundle", () =>
  withFolder(async (folder) => {
    const path = `${folder}/hostile.tar`;
    const entryOf = (name: string) => entry(name, made.envelope);
    for (
      const { pieces, verdict, reason } of [
        {
          pieces: [entry("top/link", "", { type: "2", linkname: "/etc/passwd" }), entryOf("top/manifest.dsse.json")],
          verdict: "failed",
          reason: /size +FAILED +".*hostile\.tar" is not a bundle .* entry 1 is a symbolic link/,
        },
        {
          pieces: [paxEntry({ path: "top/manifest.dsse.json" }), entryOf("top/a")],
          verdict: "failed",
          reason: /a pax header that it does not need/,
        },
        {
          pieces: [entryOf("manifest.dsse.json")],
          verdict: "failed",
          reason: /"manifest\.dsse\.json" does not stand in one folder/,
        },
        {
          pieces: [entryOf("a/manifest.dsse.json"), entryOf("b/manifest.dsse.json")],
          verdict: "failed",
          reason: /"b\/manifest\.dsse\.json" does not stand in one folder/,
        },
        {
          pieces: [entryOf("top/other.json")],
          verdict: "could not check",
          reason: /"manifest\.dsse\.json" is not in the bundle/,
        },
        {
          pieces: [entryOf("top/manifest.dsse.json")],
          verdict: "could not check",
          reason: /artefacts +not checked +0 of \d+ artefacts/,
        },
        { pieces: [entry("top/manifest.dsse.json", "{}")], verdict: "failed", reason: /envelope +FAILED/ },
      ]
    ) {
      await Deno.writeFile(path, join(...pieces, END));
      const report = await verifyManifestFile(path, options);
      assert.equal(report.verdict, verdict, formatVerification(report));
      assert.match(formatVerification(report), reason);
    }
  }));

Deno.test("verifyManifestFile() does not read a bundled manifest that is too large", () =>
  withFolder(async (folder) => {
    const path = `${folder}/large.tar`;
    await Deno.writeFile(path, join(entry("top/manifest.dsse.json", " ".repeat((32 << 20) + 1)), END));
    const { steps, exitCode } = await verifyManifestFile(path, options);
    assert.equal(exitCode, 1);
    assert.match(steps[0]?.detail ?? "", /"manifest\.dsse\.json" has more than 33554432 bytes/);
  }));

Deno.test("verifyManifestFile() says that a bundle is compressed", () =>
  withFolder(async (folder) => {
    const { bytes } = await makeArchive(folder);
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(`${folder}/out.tar.gz`, new Uint8Array(await new Response(stream).arrayBuffer()));
    const report = await verifyManifestFile(`${folder}/out.tar.gz`, options);
    assert.equal(report.exitCode, 2);
    assert.match(report.steps[0]?.detail ?? "", /is compressed \(gzip\): decompress it first/);
  }));

Deno.test("verifyManifestFile() names what a bundle holds besides", () =>
  withFolder(async (folder) => {
    const { path, top, bytes } = await makeArchive(folder);
    const stranger = entry(`${top}/z.sh`, "rm -rf /");
    await Deno.writeFile(path, join(bytes.subarray(0, bytes.length - END.length), stranger, END));
    const report = await verifyManifestFile(path, options);
    assert.equal(report.verdict, "verified");
    assert.match(formatVerification(report), /Anything about what the bundle holds and .* does not name: z\.sh\./);
  }));

Deno.test("verifyManifestFile() finds an artefact that was swapped in a well-formed bundle", () =>
  withFolder(async (folder) => {
    const { path, bytes, index } = await makeArchive(folder);
    for (const [name, { offset, size }] of index) {
      if (name.endsWith("/manifest.dsse.json")) continue;
      const changed = bytes.slice();
      changed.set(padded("y".repeat(size)).subarray(0, size), offset);
      await Deno.writeFile(path, changed);
      const report = await verifyManifestFile(path, options);
      assert.equal(report.verdict, "failed", name);
    }
  }));

/** A change of an archive's bytes. */
type Mutation = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const mutation: fc.Arbitrary<{ at: number; change: Mutation }> = fc.tuple(place, place, fc.nat(255), fc.nat(5)).map(
  ([at, other, value, kind]) => ({
    at,
    change(bytes) {
      const [i, j] = [Math.floor(at * bytes.length), Math.floor(other * bytes.length)];
      const [blockI, blockJ] = [i - i % 512, j - j % 512];
      const changed = bytes.slice();
      switch (kind) {
        case 0:
          changed[i] = (changed[i] ?? 0) ^ (1 << (value % 8));
          return changed;
        case 1:
          changed[i] = value;
          return changed;
        case 2:
          return changed.slice(0, i);
        case 3: // a block in the place of another
          changed.set(bytes.subarray(blockJ, blockJ + 512), blockI);
          return changed;
        case 4: // a block more
          return join(bytes.subarray(0, blockI), bytes.subarray(blockJ, blockJ + 512), bytes.subarray(blockI));
        default: // a block less
          return join(bytes.subarray(0, blockI), bytes.subarray(blockI + 512));
      }
    },
  }),
);

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

Deno.test("verifyManifestFile() verifies no changed bundle, and throws at none", () =>
  withFolder(async (folder) => {
    const { path, bytes, index, top } = await makeArchive(folder, ["last"]);
    const range = index.get(`${top}/manifest.dsse.json`) ?? { offset: 0, size: 0 };
    assert.equal(range.size, manifest.length);
    const statement = canonicalJson(made.statement);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(mutation, async ({ change }) => {
        const changed = change(bytes);
        fc.pre(!isSame(changed, bytes));
        await Deno.writeFile(path, changed);
        const report = await verifyManifestFile(path, { ...options, withoutCheckpoints: true });
        if (report.verdict !== "verified") return;
        // Only what no signature covers may have changed: white space and unknown members of the envelope.
        const outside = (from: Uint8Array) =>
          join(from.subarray(0, range.offset), from.subarray(range.offset + range.size));
        assert.deepEqual(outside(changed), outside(bytes));
        assert.equal(canonicalJson(report.statement), statement);
        accepted++;
      }),
      { numRuns: 300 },
    );
    assert(accepted < 30, `${accepted} of 300 changed nothing that counts`);
  }));

Deno.test("verifyManifestFile() notices a flipped bit anywhere in a bundle outside the manifest", () =>
  withFolder(async (folder) => {
    const { path, bytes, index, top } = await makeArchive(folder, ["none"]);
    const range = index.get(`${top}/manifest.dsse.json`) ?? { offset: 0, size: 0 };
    for (let at = 0; at < bytes.length; at += 509) {
      if (at >= range.offset && at < range.offset + range.size) continue;
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await Deno.writeFile(path, changed);
      const { verdict } = await verifyManifestFile(path, { ...options, withoutCheckpoints: true });
      assert.notEqual(verdict, "verified", `byte ${at}`);
    }
  }));
