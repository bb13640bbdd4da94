/** Rules that hold for the whole tree: layers, web-standard code, and no arithmetic that engines may round as they like. */
import assert from "node:assert/strict";
import { COMPILER } from "../src/engine/exact/kernels.ts";

const ROOT = new URL("../", import.meta.url);

/** Folders of `src/` from left to right: a file imports only from its own layer and those left of it. */
const LAYERS = [
  ["digest", "arithmetic"],
  ["files", "model", "schedule"],
  ["archive", "hub"],
  ["experiment"],
  ["container", "data", "engine"],
  ["results", "sample"],
  ["train"],
  ["manifest", "report"],
  ["retrain"],
  ["attestation"],
  ["bundle"],
  ["reproduce"],
  ["cli"],
];

/** Types that are shared across layers on purpose; importing only a type creates no dependency at run time. */
const TYPE_IMPORT = /^\s*import type /;

/** Scripts print from wherever they lie, and all that is printed goes through one file. */
const TERMINAL = "/cli/terminal.ts";

async function* sources(folder: URL): AsyncGenerator<{ path: string; text: string }> {
  for await (const entry of Deno.readDir(folder)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), folder);
    if (entry.isDirectory) yield* sources(url);
    else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts")) {
      yield { path: url.pathname.slice(ROOT.pathname.length), text: await Deno.readTextFile(url) };
    }
  }
}

const FILES = await Array.fromAsync(sources(new URL("src/", ROOT)));

/** Code without comments, so that prose about a rule does not break it. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function layerOf(path: string): number {
  const folder = path.split("/")[1] ?? "";
  return LAYERS.findIndex((layer) => layer.includes(folder));
}

Deno.test("src/ imports only from its own layer and those left of it", () => {
  const offences: string[] = [];
  for (const { path, text } of FILES) {
    const own = layerOf(path);
    for (const line of text.split("\n")) {
      const target = /from "(?:\.\.\/)+([a-z_]+)\//.exec(line)?.[1];
      if (target === undefined || TYPE_IMPORT.test(line) || own < 0 || line.includes(TERMINAL)) continue;
      if (layerOf(`src/${target}/`) > own) offences.push(`${path}: ${line.trim()}`);
    }
  }
  assert.deepEqual(offences, []);
});

Deno.test("src/ uses no Math function whose last bit an engine may choose, and no Math.random", () => {
  const loose =
    /Math\.(sin|cos|tan|asin|acos|atan2?|sinh|cosh|tanh|exp|expm1|log|log1p|log2|log10|pow|cbrt|hypot|random)\b/;
  assert.deepEqual(FILES.filter(({ text }) => loose.test(code(text))).map(({ path }) => path), []);
});

Deno.test("the engine and the verifier use web-standard interfaces only", () => {
  const platform = /\bDeno\.|from "node:|\bprocess\./;
  const verifier = [
    "artefact_limits",
    "artefacts",
    "companions",
    "caveats",
    "cross_check",
    "dates",
    "dsse",
    "ed25519_strict",
    "environment_schema",
    "format_reviews",
    "inclusion",
    "keys",
    "learning_rates",
    "limits",
    "members",
    "paper_judge",
    "pem",
    "plan_arms",
    "predicate",
    "run_schema",
    "run_tree",
    "statement",
    "statement_check",
    "statement_payload",
    "verification_report",
    "verify",
    "verify_artefacts",
    "verify_claims",
    "verify_curves",
    "verify_journals",
    "verify_options",
    "verify_plan",
    "verify_records",
    "verify_report",
    "verify_signature",
    "verify_summaries",
  ].map((name) => `src/manifest/${name}.ts`);
  const pages = ["manifest_input", "manifest_page", "manifest_renderer", "page"].map((name) => `src/report/${name}.ts`);
  const reviews = ["attestation_check", "predicate", "read", "require", "schema", "verifiers"]
    .map((name) => `src/attestation/${name}.ts`);
  const journals = ["due_records", "journal_curves", "journal_header", "journal_reader", "journal_record"]
    .map((name) => `src/train/${name}.ts`);
  const checked = FILES.filter(({ path }) =>
    // A GPU is reached through the driver's library, which the web has no interface for; TensorFlow and the exact
    // engine's native kernels too are reached through Deno.
    (/^src\/(digest|engine)\//.test(path) && !/^src\/engine\/(cuda|exact\/native|tensorflow)\//.test(path)) ||
    [...verifier, ...journals, ...pages, ...reviews].includes(path)
  );
  assert(checked.length > 30, `${checked.length} files`);
  assert.deepEqual(checked.filter(({ text }) => platform.test(code(text))).map(({ path }) => path), []);
});

Deno.test("the kernels' compiler is the one that deno.json pins", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assert.equal(imports.assemblyscript, `npm:${COMPILER}`);
});

Deno.test("src/ names no path of one machine", () => {
  const path = /(^|[^\w.])\/(tmp|work|root|home)\/[a-z]/m;
  assert.deepEqual(FILES.filter(({ text }) => path.test(text)).map(({ path }) => path), []);
});

Deno.test("src/ changes files and folders in one place, which follows no link, and opens them in one place", () => {
  const RULES = [
    // Deno's names, with any ending in Sync, by the one file that may use them.
    ["src/files/open_regular.ts", /\bDeno\.open(Sync)?\b/],
    [
      "src/files/deno_file_system.ts",
      /\bDeno\.(mkdir|remove|rename|link|chmod|makeTempDir|open)(Sync)?\b/,
    ],
    [
      undefined,
      /\bDeno\.(create|writeFile|writeTextFile|copyFile|truncate|symlink|chown|utime|makeTempFile|umask|FsFile\()(Sync)?\b/,
    ],
    [undefined, /^import (?!\{ statfs \} ).*["'`]node:(fs|child_process)\b.*|\((["'`])node:(fs|child_process)\b/m],
    // A name taken out of the namespace, or asked for by a string, would pass by the rules above.
    [undefined, /\bDeno\[|=\s*Deno\s*[,;)]/],
  ] as const;
  const offences: string[] = [];
  for (const { path, text } of FILES) {
    const allowed = RULES.filter(([owner]) => owner === path).map(([, pattern]) => pattern.source);
    for (const [owner, pattern] of RULES) {
      if (owner === path) continue;
      for (const [name] of code(text).matchAll(new RegExp(pattern, "gm"))) {
        if (!allowed.some((source) => new RegExp(`^(?:${source})`).test(name))) offences.push(`${path}: ${name}`);
      }
    }
  }
  assert.deepEqual(offences, []);
});

Deno.test("src/ reads whole files by Deno itself only where they are its own", () => {
  const own = [
    "src/container/record_image.ts", // the system's list of what is loaded
    "src/data/embedded/npm_source.ts", // package.json of a pinned package
    "src/engine/cuda/kernel_source.ts",
    "tests/engine/cuda/stand_in/build.ts",
    "src/engine/exact/native/choose.ts", // the library that is committed, and the list of digests
    "src/experiment/catalogue.ts",
    "src/reproduce/inputs.ts",
  ];
  const found = FILES.filter(({ text }) => /\bDeno\.read(Text)?File(Sync)?\b/.test(code(text))).map(({ path }) => path);
  assert.deepEqual(found.sort(), own);
});
