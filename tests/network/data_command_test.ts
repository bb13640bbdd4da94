/** `data lock`, `data fetch` and `data status` against a hub on this machine. */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { dataCommand } from "../../src/cli/commands/data.ts";
import { withHubPins } from "../../src/data/hub/lock.ts";
import { readDataLock } from "../../src/data/data_lock.ts";
import { sha256 } from "../../src/digest/sha256.ts";
import { openCorpora } from "../../src/data/corpora.ts";
import { scaleCorpora } from "../../src/data/scale_corpora.ts";
import { slimPajamaWeights } from "../../src/data/slimpajama.ts";
import { loadScale } from "../../src/experiment/catalogue.ts";
import { SMALL_TOKENIZER } from "../formats/bpe/small_tokenizer.ts";
import { story } from "../data/fixtures.ts";
import { userError } from "../data/user_error.ts";
import { withFolder } from "../temporary_folder.ts";
import { bytesOf, COMMIT, StandInHub } from "./stand_in_hub.ts";

const DATASET = "datasets/cerebras/SlimPajama-627B";
const FILES = {
  ".gitattributes": new TextEncoder().encode("*.zst filter=lfs\n"),
  "README.md": new TextEncoder().encode("read me\n"),
  "train/chunk10/example_train_0.jsonl.zst": zstdCompressSync(bytesOf(900, 1)),
  "train/chunk2/example_train_0.jsonl.zst": zstdCompressSync('{"text":"short enough to lie in Git itself"}\n'),
  "validation/chunk1/example_holdout_0.jsonl.zst": zstdCompressSync(bytesOf(700, 2)),
  "test/chunk1/example_holdout_0.jsonl.zst": zstdCompressSync(bytesOf(500, 3)),
};
const DATA = Object.keys(FILES).filter((path) => /^(train|validation)/.test(path)).sort() as (keyof typeof FILES)[];
const LOCK = "version: 1\n# mine\npackages: {}\nfiles: {}\n\n# from the hub\nhub: {}\n";

interface Case {
  readonly folder: string;
  readonly hub: StandInHub;
  readonly lockfile: string;
  /** runs `data WORDS --only downstream` here, and gives what it prints */
  readonly data: (...words: string[]) => Promise<string>;
}

/** Runs `data` with some words, and gives what it prints. */
async function run(words: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const { log } = console;
  console.log = (text: string) => void printed.push(text);
  try {
    assert.equal(await dataCommand.run(words), 0);
  } finally {
    console.log = log;
  }
  return printed.join("\n");
}

async function withData(use: (given: Case) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await using hub = new StandInHub(FILES, DATASET);
    const lockfile = `${folder}/data.lock.yaml`;
    await Deno.writeTextFile(lockfile, LOCK);
    const places = ["--hub", hub.address, "--cache", `${folder}/hub`, "--lockfile", lockfile];
    await use({ folder, hub, lockfile, data: (...words) => run([...words, "--only", "downstream", ...places]) });
  });
}

Deno.test("data lock believes the hub once, says so, and keeps the rest of the lockfile", () =>
  withData(async ({ hub, lockfile, data }) => {
    const printed = await data("lock");
    assert.match(
      printed,
      /now locked: 3 files at 0123456789ab, list [0-9a-f]{4}…[0-9a-f]{4}, trusted on \d{4}-\d\d-\d\d/,
    );
    assert.match(printed, /trust on first use/);
    const text = await Deno.readTextFile(lockfile);
    assert(text.startsWith("version: 1\n# mine\npackages: {}\nfiles: {}\n\n# from the hub\nhub:\n"));
    const pin = (await readDataLock(lockfile)).hub[DATASET];
    const lines = DATA.map((path) => `${sha256(FILES[path])} ${FILES[path].length} ${path}\n`);
    assert.equal(pin?.revision, COMMIT);
    assert.equal(pin.listing, sha256(lines.join("")));
    assert.equal(pin.files, 3);

    hub.commit = "f".repeat(40);
    assert.match(await data("lock"), /as locked/);
    assert.equal(await Deno.readTextFile(lockfile), text, "the hub has moved on, the lock has not");
    assert.match(
      await data("lock", "--renew"),
      /now locked: 3 files at ffffffffffff(.|\n)*before: 3 files at 0123456789ab/,
    );
  }));

Deno.test("data fetch downloads what a scale needs under names that openCorpora() understands", () =>
  withData(async ({ folder, hub, data }) => {
    await data("lock");
    assert.match(await data("status"), /downstream of small +1 of 3 files/, "what had no digest had to be read");
    const printed = await data("fetch", "--scale", "small");
    const named = `${folder}/hub/${DATASET}/${COMMIT.slice(0, 12)}`;
    assert(printed.includes(named), printed);
    for (const path of DATA) {
      const marked = path.startsWith("validation") ? path.replace(".jsonl", ".val.jsonl") : path;
      assert.deepEqual(await Deno.readFile(`${named}/${marked}`), new Uint8Array(FILES[path]));
    }
    assert.match(await data("status"), /downstream of small +3 of 3 files, 1\.\d\d kB of 1\.\d\d kB/);
    const before = hub.seen.length;
    await data("fetch", "--scale", "small");
    assert.equal(hub.seen.length, before, "nothing is asked for twice");
  }));

Deno.test("data fetch refuses what is not locked, over the budget, or not what was locked", () =>
  withData(async ({ folder, hub, lockfile, data }) => {
    await assert.rejects(data("fetch", "--scale", "small"), userError("NOT_LOCKED", DATASET, "data lock"));
    assert.equal(hub.seen.length, 0);
    await data("lock");
    await assert.rejects(data("fetch", "--scale", "small", "--budget", "0.000001"), userError("OVER_BUDGET", "small"));
    assert.equal(hub.fetched.filter(({ path }) => path.includes("chunk10")).length, 0);

    await Deno.remove(`${folder}/hub`, { recursive: true });
    const pin = (await readDataLock(lockfile)).hub[DATASET];
    assert(pin !== undefined);
    const other = sha256("another list");
    await Deno.writeTextFile(lockfile, withHubPins(LOCK, { [DATASET]: { ...pin, listing: other } }));
    await assert.rejects(data("fetch", "--scale", "small"), userError("DIGEST_MISMATCH", other, pin.listing));
    await assert.rejects(data("lock"), { code: "DIGEST_MISMATCH" });
  }));

Deno.test("data names the nearest word for a mistake", async () => {
  const cases: [string[], string, string][] = [
    [[], "MISSING_ARGUMENT", "lock, fetch, status"],
    [["fech"], "UNKNOWN_ARGUMENT", 'did you mean "fetch"?'],
    [["fetch"], "MISSING_SCALE", "--scale"],
    [["fetch", "--scale", "papr"], "UNKNOWN_SCALE", 'did you mean "paper"?'],
    [["fetch", "--scale", "tiny"], "NOTHING_TO_FETCH", "tiny"],
    [["fetch", "--scale", "paper", "--only", "downstrem"], "UNKNOWN_CORPUS", 'did you mean "downstream"?'],
    [["fetch", "--scale", "paper", "--budget", "lots"], "BAD_NUMBER", "gigabytes"],
    [["lock", "--hub", "http://example.org"], "INSECURE_ADDRESS", "The hub's address http://example.org"],
    [["lock", "--hub", "example.org"], "INVALID_ADDRESS", 'write it in full, such as "https://'],
    [["lock", "--hub", "localhost:8000"], "INVALID_ADDRESS", '"localhost:8000" is no address of a hub'],
  ];
  for (const [words, code, part] of cases) await assert.rejects(dataCommand.run(words), userError(code, part));
});

/** Text of SlimPajama's domains in turns, enough for windows of 2049 tokens in each. */
function mixture(count: number, first: number): Uint8Array<ArrayBuffer> {
  const domains = Object.keys(slimPajamaWeights());
  const lines = Array.from({ length: count }, (_, i) => {
    const meta = { redpajama_set_name: domains[i % domains.length] };
    return `${JSON.stringify({ text: story(first + i, 400), meta })}\n`;
  });
  return zstdCompressSync(lines.join(""));
}

Deno.test("a scale's corpora can be opened after data lock and data fetch, with nothing else given", () =>
  withFolder(async (folder) => {
    const scale = await loadScale("small");
    const rowTokens = scale.model.config.sequenceLength + 1;
    const rows = Uint16Array.from({ length: 70 * rowTokens }, (_, i) => 1 + i % 250);
    await using hub = new StandInHub({
      "train/chunk1/example_train_0.jsonl.zst": mixture(35, 0),
      "train/chunk2/example_train_0.jsonl.zst": mixture(35, 35),
      "validation/chunk1/example_holdout_0.jsonl.zst": mixture(700, 1000),
    }, DATASET);
    hub.repositories["datasets/EleutherAI/pile-standard-pythia-preshuffled"] = {
      "document-00000-of-00001.bin": new Uint8Array(rows.buffer.slice(0, 100_001)),
      "document-00001-of-00001.bin": new Uint8Array(rows.buffer.slice(100_001)),
    };
    hub.repositories["datasets/mit-han-lab/pile-val-backup"] = {
      "val.jsonl.zst": zstdCompressSync(
        Array.from({ length: 400 }, (_, i) => `${JSON.stringify({ text: story(5000 + i, 300) })}\n`).join(""),
      ),
    };
    hub.repositories["models/EleutherAI/gpt-neox-20b"] = {
      "config.json": bytesOf(200),
      "tokenizer.json": await Deno.readFile(SMALL_TOKENIZER),
    };
    const lockFile = `${folder}/data.lock.yaml`;
    await Deno.writeTextFile(lockFile, LOCK);
    const places = ["--scale", "small", "--hub", hub.address, "--cache", `${folder}/hub`, "--lockfile", lockFile];
    assert.match(await run(["lock", ...places]), /models\/EleutherAI\/gpt-neox-20b\n {2}now locked: 1 file at/);
    await run(["fetch", ...places]);

    const { source, ...mixed } = scaleCorpora(scale);
    assert(source.kind === "huggingface");
    const { upstream, downstream } = await openCorpora({
      ...mixed,
      source: { ...source, hubCache: `${folder}/hub` },
      sequenceLength: rowTokens - 1,
      cacheFolder: `${folder}/data`,
      lockFile,
    });
    try {
      assert.equal(upstream.summary.windows.train, 70, "no row is held back where there is a validation split");
      const held = await upstream.validationWindows(scale.evaluationWindows);
      assert.equal(held.tokens.length, scale.evaluationWindows * rowTokens);
      assert(upstream.summary.bytes.validation > 100_000);
      const { tokens } = await upstream.batch(0, 2, 1234);
      assert.deepEqual([...tokens], [...rows.subarray(0, 2 * rowTokens)]);
      assert.equal(downstream.summary.domains.RedPajamaC4, 0.15);
      assert.equal((await downstream.batch(0, 2, 1)).tokens.length, 2 * rowTokens);
      const { domains } = await downstream.validationWindows(scale.evaluationWindows);
      assert.equal(domains.filter((domain) => domain === "RedPajamaCommonCrawl").length, 42);
    } finally {
      upstream.close();
      downstream.close();
    }
  }));
