/** What stands in the page for an operating system: the same interfaces, and nothing of Deno or Node. */
import assert from "node:assert/strict";
import substitutes from "../../src/page/substitutes.json" with { type: "json" };
import type * as installedPackage from "../../src/data/embedded/installed_package.ts";
import type * as corpusTokenizer from "../../src/data/corpus_tokenizer.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import type * as startWorker from "../../src/engine/exact/start_worker.ts";
import type * as fileSystem from "../../src/files/deno_file_system.ts";
import type * as fetchOwnFile from "../../src/files/fetch_own_file.ts";
import type * as fileDigest from "../../src/files/file_digest.ts";
import type * as ownFiles from "../../src/files/own_files.ts";
import type * as project from "../../src/files/project.ts";
import { readChunks } from "../../src/files/read_file.ts";
import type * as environment from "../../src/manifest/format/environment.ts";
import * as pageCorpusTokenizer from "../../src/page/platform/corpus_tokenizer.ts";
import * as pageEnvironment from "../../src/page/platform/environment.ts";
import * as pageFetchOwnFile from "../../src/page/platform/fetch_own_file.ts";
import * as pageFileDigest from "../../src/page/platform/file_digest.ts";
import * as pageFileSystem from "../../src/page/platform/file_system.ts";
import { find, place, remove } from "../../src/page/platform/file_tree.ts";
import * as pageInstalledPackage from "../../src/page/platform/installed_package.ts";
import { openRegular, openRegularSync } from "../../src/page/platform/open_regular.ts";
import * as pageOwnFiles from "../../src/page/platform/own_files.ts";
import * as pageProject from "../../src/page/platform/project.ts";
import { packResources, setResources, unpackResources } from "../../src/page/platform/resources.ts";
import * as pageStartWorker from "../../src/page/platform/start_worker.ts";
import { manifestAmong, placeFiles } from "../../src/page/worker/given_files.ts";
import { ownAddress } from "../../src/page/worker/remote_files.ts";
import { closureOf, codeOf, type SourceFile, sourceFiles } from "../../tools/imports.ts";

const ROOT = new URL("../../", import.meta.url);
const files = pageFileSystem.DENO_FILES;

// The compiler holds each substitute to what it stands for.
({
  fileSystem: pageFileSystem,
  fileDigest: pageFileDigest,
  ownFiles: pageOwnFiles,
  project: pageProject,
  fetchOwnFile: pageFetchOwnFile,
  installedPackage: pageInstalledPackage,
  corpusTokenizer: pageCorpusTokenizer,
  environment: pageEnvironment,
  startWorker: pageStartWorker,
}) satisfies {
  fileSystem: Pick<typeof fileSystem, keyof typeof pageFileSystem>;
  fileDigest: Pick<typeof fileDigest, keyof typeof pageFileDigest>;
  ownFiles: typeof ownFiles;
  project: typeof project;
  fetchOwnFile: typeof fetchOwnFile;
  installedPackage: typeof installedPackage;
  corpusTokenizer: typeof corpusTokenizer;
  environment: typeof environment;
  startWorker: typeof startWorker;
};

Deno.test("the page uses web-standard interfaces only, in all that it imports", async () => {
  const stands = new Map(
    Object.entries(substitutes).map(([from, to]) => [from, `src/page/platform/${to}`]),
  );
  const sources = (await sourceFiles(ROOT)).map((file): SourceFile => ({
    ...file,
    imports: file.imports.map((path) => stands.get(path) ?? path),
  }));
  const known = new Set(sources.map(({ path }) => path));
  for (const [from, to] of stands) {
    if (from.startsWith("src/")) assert(known.has(from), `${from} is not there any more`);
    assert(known.has(to), to);
  }
  const reached = closureOf(["src/page/worker/main.ts", "src/page/app/main.ts"], sources);
  assert(reached.size > 250, `${reached.size} files`);
  // The type of an open file is named in some, and leaves nothing at run time.
  const platform = /\bDeno\.(?!FsFile\b)|from "node:|\bprocess\.|import\.meta/;
  const offenders = sources.filter(({ path, text }) => reached.has(path) && platform.test(codeOf(text)));
  assert.deepEqual(offenders.map(({ path }) => path), []);
});

Deno.test("the page's script sets text of others as text, never as markup", async () => {
  const shown = (await sourceFiles(ROOT)).filter(({ path }) => path.startsWith("src/page/app/"));
  assert(shown.length > 5, `${shown.length} files`);
  const markup =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\b|new Function/;
  assert.deepEqual(shown.filter(({ text }) => markup.test(text)).map(({ path }) => path), []);
});

Deno.test("the page's files are written, grown, cut, renamed and removed as a system's are", async () => {
  await files.makeFolder("/made/inner");
  const file = await files.open("/made/inner/a", "create");
  await file.write(Uint8Array.of(1, 2, 3, 4));
  await file.seek(2);
  await file.write(Uint8Array.of(9));
  await file.truncate(6);
  assert.deepEqual(await files.status("/made/inner/a"), { kind: "file", bytes: 6 });
  await assert.rejects(files.open("/made/inner/a", "create"), { code: "EEXIST" });
  await files.rename("/made/inner/a", "/made/b");
  assert.deepEqual(await Array.fromAsync(readChunks("/made/b", files)), [Uint8Array.of(1, 2, 9, 4, 0, 0)]);
  assert.deepEqual(await files.readFolder("made"), ["b", "inner"]);
  assert.equal(await files.realPath("made/./inner/../b"), "/made/b");
  await assert.rejects(files.realPath("/made/c"), { code: "ENOENT" });
  await assert.rejects(openRegular("/made/inner", "read"), /it is no regular file/);
  await pageFileSystem.removeTree("/made");
  assert.equal(await files.status("/made/b"), undefined);
});

Deno.test("what the reader gave is read in pieces, and not written to", async () => {
  place("/given/x", new Blob([new Uint8Array(300_000).fill(7)]));
  const pieces = await Array.fromAsync(readChunks("/given/x", files));
  assert.deepEqual(pieces.map(({ length }) => length), [262_144, 37_856]);
  assert.equal(await pageFileDigest.digestFile("/given/x"), sha256(new Uint8Array(300_000).fill(7)));
  assert.throws(() => openRegularSync("/given/x", "update").writeSync(Uint8Array.of(1)), { code: "EROFS" });
  remove("/given");
});

Deno.test("hashes that are under way at once do not disturb each other", () => {
  const [a, b] = [pageFileDigest.createFileHash(), pageFileDigest.createFileHash()];
  a.update(new TextEncoder().encode("one"));
  b.update(new TextEncoder().encode("another"));
  assert.equal(a.peek(), sha256("one"));
  a.update(new TextEncoder().encode(" more"));
  assert.equal(b.finish(), sha256("another"));
  assert.equal(a.finish(), sha256("one more"));
});

Deno.test("what comes along in a page is found by its path, and packed in one way", async () => {
  const resources = new Map([["experiments/b.yaml", Uint8Array.of(2)], [
    "experiments/scales/a.yaml",
    Uint8Array.of(1, 1),
  ]]);
  const packed = packResources(resources);
  assert.deepEqual(packResources(new Map([...resources].reverse())), packed);
  setResources(unpackResources(packed));
  const folder = new URL("experiments/", pageProject.PROJECT);
  assert.deepEqual(await pageOwnFiles.listOwnFolder(folder), [
    { name: "b.yaml", isFolder: false },
    { name: "scales", isFolder: true },
  ]);
  assert.deepEqual(await pageOwnFiles.readOwnFile(new URL("scales/a.yaml", folder)), Uint8Array.of(1, 1));
  await assert.rejects(pageFetchOwnFile.fetchOwnFile("deno.lock"), { code: "ENOENT" });
  await assert.rejects(pageInstalledPackage.installedPackage("typescript"), { code: "PACKAGE_NOT_FOUND" });
  setResources(new Map());
});

Deno.test("manifestAmong() takes the only file, or the folder of the uppermost manifest", () => {
  assert.equal(manifestAmong(["/given/anything.tar"]), "/given/anything.tar");
  const folder = ["/given/out/manifest.dsse.json", "/given/out/plan.json", "/given/out/old/manifest.dsse.json"];
  assert.equal(manifestAmong(folder), "/given/out");
  assert.throws(() => manifestAmong(["/given/a/manifest.dsse.json", "/given/b/manifest.dsse.json"]), {
    code: "NO_MANIFEST",
  });
  assert.throws(
    () => manifestAmong(["/given/a", "/given/b"]),
    /^UserError: There is no manifest.dsse.json among the 2 files/,
  );
  assert.throws(() => manifestAmong([]), { code: "NO_MANIFEST" });
});

Deno.test("placeFiles() lets no name lead out of its folder, nor stand for anything but a file", () => {
  for (const path of ["../x", "a/../../x", "", "a//b", "./a"]) {
    assert.throws(() => placeFiles("/given", [{ path, content: new Blob() }]), { code: "UNSAFE_PATH" }, path);
  }
  const odd = ["__proto__", "constructor/prototype", "a\u202eb<script>", "C:\\x"];
  assert.deepEqual(
    placeFiles("/given", odd.map((path) => ({ path, content: new Blob() }))),
    odd.map((path) => `/given/${path}`),
  );
  assert.equal(find("/x"), undefined);
  remove("/given");
});

Deno.test("ownAddress() names nothing but the page's own origin", () => {
  const page = "https://a.example/verify.html?url=x";
  assert.equal(ownAddress("out/tiny.tar", page).href, "https://a.example/out/tiny.tar");
  assert.equal(ownAddress("/b/", page).href, "https://a.example/b/");
  for (
    const url of ["https://b.example/x", "//b.example/x", "http://a.example/x", "data:,x", "javascript:1", "https://"]
  ) {
    assert.throws(() => ownAddress(url, page), { code: "NOT_THIS_ORIGIN" }, url);
  }
  for (const other of ["file:///x/verify.html", "about:blank"]) {
    assert.throws(
      () => ownAddress("x", other),
      /cannot be fetched by a page that was opened as a file: drop it/,
      other,
    );
  }
});
