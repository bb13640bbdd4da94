import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { describeCorpora, openCorpora } from "../../src/data/corpora.ts";
import type { Batch, Corpus } from "../../src/data/corpus.ts";
import type { CorpusOptions, DataProgress } from "../../src/data/options.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { withFolder } from "../temporary_folder.ts";
import { documentsOf, jsonLines, preparedFolders, story, twoFiles } from "./fixtures.ts";
import { userError } from "./user_error.ts";

async function withCorpora(
  options: CorpusOptions,
  use: (corpora: { upstream: Corpus; downstream: Corpus }) => Promise<void>,
): Promise<void> {
  const corpora = await openCorpora(options);
  try {
    await use(corpora);
  } finally {
    corpora.upstream.close();
    corpora.downstream.close();
  }
}

const rowsOf = ({ tokens, sequences }: Batch) => {
  const length = tokens.length / sequences;
  return Array.from({ length: sequences }, (_, i) => tokens.subarray(i * length, (i + 1) * length).join());
};

Deno.test("openCorpora() gives the documents of the files, each in one split, and nothing else", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(100, ["A b", "a-B", "Ü"]), jsonLines(50, [], 1000));
    await withCorpora(options, async ({ upstream, downstream }) => {
      const folders = preparedFolders(`${folder}/cache`);
      equal(folders.length, 2);
      const train = folders.flatMap((path) => documentsOf(path, "train"));
      const validation = folders.flatMap((path) => documentsOf(path, "validation"));
      const expected = [...Array(100).keys(), ...Array.from({ length: 50 }, (_, i) => 1000 + i)];
      deepEqual([...train, ...validation].sort(), expected.map((i) => `#${i} ${story(i)}`).sort());
      equal(upstream.summary.documents.train + downstream.summary.documents.train, train.length);
      // 34, 33 and 33 documents of three domains, and 50 of one: in each whole block of twenty one is validation.
      ok(validation.length >= 3 + 2 && validation.length <= 6 + 3, `${validation.length}`);
      for (const { summary } of [upstream, downstream]) {
        equal(summary.tokens.train, summary.bytes.train + summary.documents.train);
        equal(summary.tokens.validation, summary.bytes.validation + summary.documents.validation);
      }
      deepEqual(Object.keys(upstream.summary.domains), ["A b", "a-B", "Ü"]);
      deepEqual(downstream.summary.domains, { default: 1 });
      await Promise.resolve();
    });
  }));

Deno.test("openCorpora() reads .txt and .jsonl.zst, several paths, and SlimPajama's field", () =>
  withFolder(async (folder) => {
    const { zstdCompressSync } = await import("node:zlib");
    const line = JSON.stringify({ text: story(5, 400), meta: { redpajama_set_name: "RedPajamaC4" } });
    await Deno.writeFile(`${folder}/a.jsonl.zst`, zstdCompressSync(new TextEncoder().encode(`\ufeff${line}\r\n\r\n`)));
    await Deno.writeTextFile(`${folder}/b.txt`, `\ufeff${`${story(6, 200)}\n\n`.repeat(30)}`);
    await Deno.writeTextFile(`${folder}/c.val.jsonl`, jsonLines(3, ["RedPajamaC4", "default"]));
    const files = [`${folder}/a.jsonl.zst`, `${folder}/b.txt`, `${folder}/c.val.jsonl`];
    await withCorpora(
      {
        source: { kind: "files", upstream: files, downstream: files },
        sequenceLength: 16,
        cacheFolder: `${folder}/c`,
      },
      async ({ upstream, downstream }) => {
        deepEqual(Object.keys(upstream.summary.domains), ["RedPajamaC4", "default"]);
        const prepared = preparedFolders(`${folder}/c`);
        equal(prepared.length, 1); // the same files make the same corpus
        equal(upstream.digest, downstream.digest);
        deepEqual(
          documentsOf(prepared[0] ?? "", "validation").sort(),
          [0, 1, 2].map((i) => `#${i} ${story(i)}`).sort(),
        );
        const train = documentsOf(prepared[0] ?? "", "train");
        ok(train.includes(story(5, 400)));
        ok(train.length > 5);
        const text = train.filter((document) => document !== story(5, 400)).map((document) => document.length);
        equal(text.reduce((a, b) => a + b), 30 * (story(6, 200).length + 2));
        await Promise.resolve();
      },
    );
  }));

Deno.test("batch() is a function of step, sequences and seed alone", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(80, ["x", "y"]), jsonLines(60));
    await withCorpora(options, async ({ upstream }) => {
      const steps = [0, 1, 2, 3, 500, 70_000];
      const first: Batch[] = [];
      for (const step of steps) first.push(await upstream.batch(step, 4, 7));
      await upstream.batch(3, 5, 8);
      for (const [i, step] of [...steps.entries()].reverse()) deepEqual(await upstream.batch(step, 4, 7), first[i]);
      await withCorpora(options, async (again) => {
        deepEqual(await again.upstream.batch(70_000, 4, 7), first[5]);
      });
      // The samples do not depend on how they are grouped into steps.
      const wide = await upstream.batch(0, 16, 7);
      deepEqual(rowsOf(wide), first.slice(0, 4).flatMap(rowsOf));
      notEqual((await upstream.batch(0, 4, 8)).digest, first[0]?.digest);
      const bytes = Uint8Array.from(wide.tokens).length * 2;
      const little = new Uint8Array(bytes);
      wide.tokens.forEach((token, i) => new DataView(little.buffer).setUint16(2 * i, token, true));
      equal(wide.digest, sha256(little));
      await rejects(upstream.batch(-1, 4, 7), RangeError);
      await rejects(upstream.batch(0, 0, 7), RangeError);
    });
  }));

Deno.test("batch() gives each window of a domain once an epoch, in another order each epoch", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(60), jsonLines(60, [], 100));
    await withCorpora(options, async ({ upstream }) => {
      const { train } = upstream.summary.windows;
      equal(train, Math.floor((upstream.summary.tokens.train - 1) / 16));
      const epochs: string[][] = [];
      for (let epoch = 0; epoch < 3; epoch++) epochs.push(rowsOf(await upstream.batch(epoch, train, 1)));
      // Together they are the token stream: each window's last token is the next one's first.
      equal(new Set(epochs[0]).size, train);
      deepEqual(epochs[1]?.toSorted(), epochs[0]?.toSorted());
      deepEqual(epochs[2]?.toSorted(), epochs[0]?.toSorted());
      notEqual(epochs[1]?.join(), epochs[0]?.join());
      notEqual(epochs[2]?.join(), epochs[1]?.join());
    });
  }));

Deno.test("batch() blends domains by the given weights, else by their tokens", () =>
  withFolder(async (folder) => {
    const mark = (letter: string, count: number) =>
      `${JSON.stringify({ text: letter.repeat(200), meta: { pile_set_name: letter } })}\n`.repeat(count);
    const plain = await twoFiles(folder, mark("x", 30) + mark("y", 90), jsonLines(60));
    await Deno.writeTextFile(`${folder}/up.val.jsonl`, mark("x", 1) + mark("y", 1));
    const upstream = [`${folder}/up.jsonl`, `${folder}/up.val.jsonl`];
    const base: CorpusOptions = { ...plain, source: { kind: "files", upstream, downstream: [`${folder}/down.jsonl`] } };
    const countX = async (options: CorpusOptions) => {
      let count = 0;
      await withCorpora(options, async ({ upstream }) => {
        const rows = rowsOf(await upstream.batch(0, 100, 1));
        count = rows.filter((row) => row.includes("120")).length;
      });
      return count;
    };
    equal(await countX(base), 25);
    equal(await countX({ ...base, weights: { upstream: { x: 3, y: 1 } } }), 75);
    equal(await countX({ ...base, weights: { upstream: { x: 0, y: 1 } } }), 0);
    const described = async (options: CorpusOptions) => (await describeCorpora(options)).upstream.digest;
    notEqual(await described({ ...base, weights: { upstream: { x: 3, y: 1 } } }), await described(base));
    const failing: [Record<string, number>, string, string][] = [
      [{ x: 1 }, "MISSING_WEIGHT", '"y"'],
      [{ x: 1, y: 1, Y2: 1 }, "UNKNOWN_DOMAIN", 'did you mean "y"?'],
      [{ x: 1, y: -1 }, "INVALID_WEIGHT", "-1"],
      [{ x: 0, y: 0 }, "INVALID_WEIGHT", "weight 0"],
    ];
    for (const [upstream, code, part] of failing) {
      await rejects(openCorpora({ ...base, weights: { upstream } }), userError(code, part));
    }
  }));

Deno.test("validationWindows() gives fixed, evenly spaced windows of the validation split", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(400), jsonLines(60));
    await withCorpora(options, async ({ upstream, downstream }) => {
      const available = upstream.summary.windows.validation;
      const all = rowsOf(await upstream.validationWindows(available));
      equal(new Set(all).size, available);
      const four = await upstream.validationWindows(4);
      deepEqual(rowsOf(four), [0, 1, 2, 3].map((i) => all[Math.floor(i * available / 4)]));
      deepEqual(await upstream.validationWindows(4), four);
      const { documents: begun } = await upstream.wholeValidation(available);
      const places = rowsOf(await upstream.wholeValidation(available));
      deepEqual(four.documents, rowsOf(four).map((row) => begun[places.indexOf(row)]));
      ok(new Set(four.documents.map((document, i) => `${four.domains[i]} ${document}`)).size > 1);
      const documents = preparedFolders(`${folder}/cache`).flatMap((path) => documentsOf(path, "validation")).join(
        "\0",
      );
      for (const row of all) {
        const text = new TextDecoder().decode(Uint8Array.from(row.split(",").map(Number)));
        ok(documents.includes(text) || text.includes("\0"));
      }
      const few = downstream.summary.windows.validation;
      await rejects(
        downstream.validationWindows(few + 1),
        userError("TOO_FEW_VALIDATION_WINDOWS", `${few} validation windows of 17 tokens`, `${few + 1} are asked for`),
      );
    });
  }));

Deno.test("describeCorpora() has the digest of the opened corpus, and writes nothing", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(80), jsonLines(60));
    const described = await describeCorpora(options);
    await rejects(Deno.stat(`${folder}/cache`), Deno.errors.NotFound);
    equal(described.upstream.exact, false);
    equal(described.upstream.sources[0]?.name, "up.jsonl");
    equal(described.upstream.sources[0]?.sha256, sha256(jsonLines(80)));
    await withCorpora(options, async ({ upstream, downstream }) => {
      equal(upstream.digest, described.upstream.digest);
      equal(downstream.digest, described.downstream.digest);
      await Promise.resolve();
    });
    const other = await describeCorpora({ ...options, sequenceLength: 17 });
    const reseeded = await describeCorpora({ ...options, dataSeed: 5 });
    equal(new Set([described, other, reseeded].map(({ upstream }) => upstream.digest)).size, 3);
  }));

Deno.test("openCorpora() prepares once, hashes what it prepared once, and prepares damaged files again", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(80, ["x", "y"]), jsonLines(60));
    const stagesOf = async () => {
      const seen: DataProgress[] = [];
      let digest = "";
      await withCorpora({ ...options, onProgress: (progress) => seen.push(progress) }, async ({ upstream }) => {
        digest = (await upstream.batch(0, 8, 1)).digest;
      });
      return { stages: new Set(seen.map(({ stage }) => stage)), seen, digest };
    };
    const first = await stagesOf();
    deepEqual([...first.stages], ["hash", "tokenise", "shuffle", "verify"]);
    const second = await stagesOf();
    deepEqual([...second.stages], ["hash"]);
    equal(second.digest, first.digest);

    const prepared = preparedFolders(`${folder}/cache`);
    const names = prepared.flatMap((path) => [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`));
    ok(names.length >= 2 * 4 + 4 + 2);
    for (const name of names.filter((_, i) => i % 3 === 0 || names[i]?.endsWith("json"))) {
      const content = await Deno.readFile(name);
      const damages: (() => Promise<void>)[] = [
        () => Deno.truncate(name, content.length - 1),
        () => Deno.writeFile(name, content.map((byte, i) => (i === content.length >> 1 ? byte ^ 1 : byte))),
        () => Deno.remove(name),
      ];
      for (const [i, damage] of damages.entries()) {
        if (content.length === 0) continue;
        await damage();
        const again = await stagesOf();
        equal(again.digest, first.digest);
        deepEqual(await Deno.readFile(name), content);
        const rebuild = again.seen.find(({ stage }) => stage === "rebuild");
        const gone = i === 2 && name.endsWith("prepared.json");
        ok(gone ? rebuild === undefined : rebuild?.stage === "rebuild" && rebuild.reason.includes(name), name);
      }
    }
    deepEqual([...Deno.readDirSync(`${folder}/cache`)].filter(({ name }) => name.includes("partial")), []);
  }));

Deno.test("openCorpora() prepares once when called twice at the same time", () =>
  withFolder(async (folder) => {
    const options = await twoFiles(folder, jsonLines(80), jsonLines(60));
    let rebuilds = 0;
    const onProgress = ({ stage }: DataProgress) => rebuilds += stage === "rebuild" ? 1 : 0;
    const both = await Promise.all([1, 2].map(() => openCorpora({ ...options, onProgress })));
    const digests = await Promise.all(both.map(async ({ upstream }) => (await upstream.batch(0, 4, 1)).digest));
    equal(digests[0], digests[1]);
    equal(rebuilds, 0);
    for (const { upstream, downstream } of both) {
      upstream.close();
      downstream.close();
    }
  }));
