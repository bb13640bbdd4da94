/** `deno task bundle`: a manifest and what belongs to it, in one archive. */
import { type Bundle, bundle } from "../../bundle/bundle.ts";
import { CHECKPOINT_CHOICES } from "../../bundle/checkpoint_choice.ts";
import { EXIT, UserError } from "../../errors.ts";
import { groupedNumber } from "../../text/numbers.ts";
import { folderOf, nameOf } from "../../files/durable.ts";
import { printable } from "../../files/safe_name.ts";
import { DEFAULT_LICENSE } from "../../manifest/format/ro_crate.ts";
import { MANIFEST_FILE } from "../../manifest/verify/open_manifest.ts";
import { paperJudge } from "../../results/paper_judge.ts";
import { manifestRenderer } from "../../report/manifest_renderer.ts";
import { loadRules, PAPER_FILE } from "../../reproduce/paper_file.ts";
import { parsePaths } from "../typed_paths.ts";
import type { Command } from "../command.ts";
import { EXPERIMENT_OPTIONS, foldersFromOptions } from "../options/experiment_options.ts";
import { abortOnSignals } from "../signals.ts";
import { ControlCode, draw, isTerminal, print } from "../../terminal.ts";
import { shellWord } from "../../launch/shell.ts";
import { requireWritableFile } from "../write_permission.ts";

const OPTIONS = {
  checkpoints: {
    kind: "list",
    value: "WHICH…",
    help: `${CHECKPOINT_CHOICES.join(", ")}, or RUN:STEP… (default: all; with --segment: none)`,
  },
  segment: {
    kind: "list",
    value: "RUN:FROM..TO…",
    help: "and the checkpoints that retraining these segments reads: for volunteers who retrain no more",
  },
  output: { kind: "text", value: "FILE", path: true, help: "the archive (default: FOLDER.tar, beside the folder)" },
  license: {
    kind: "text",
    value: "SPDX",
    help: `for whoever archives it, such as CC-BY-4.0 (default: ${DEFAULT_LICENSE})`,
  },
  ...EXPERIMENT_OPTIONS,
  json: { kind: "flag", help: "print what was packed as JSON" },
} as const;

/** Bytes between two lines of progress, where the output is a terminal. */
const PROGRESS_BYTES = 2 ** 24;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [path] } = parsePaths(args, OPTIONS, 1);
  if (path === undefined) {
    throw new UserError("MISSING_ARGUMENT", "No folder is named", "give it first, before all options: out/tiny");
  }
  const output = values.output ?? await defaultOutput(path);
  await requireWritableFile(output);
  const rules = await loadRules(foldersFromOptions(values));
  const { signal, dispose } = abortOnSignals();
  const progress = progressLine();
  try {
    const packed = await bundle(path, {
      output,
      judge: paperJudge(rules, PAPER_FILE),
      renderer: manifestRenderer(rules),
      signal,
      onProgress: progress.show,
      checkpoints: values.checkpoints,
      segments: values.segment,
      license: values.license,
    });
    progress.end();
    print(values.json === true ? JSON.stringify(packed, null, 2) : formatBundle(packed, values.segment));
    return EXIT.ok;
  } catch (error) {
    progress.end();
    if (signal.aborted && error === signal.reason) return EXIT.interrupted;
    throw error;
  } finally {
    dispose();
  }
}

/** `out/tiny.tar` for `out/tiny`, `out/tiny/` and `out/tiny/manifest.dsse.json`. */
async function defaultOutput(path: string): Promise<string> {
  const isFile = (await Deno.stat(path).catch(() => undefined))?.isFile === true;
  const folder = !isFile ? path.replace(/[/\\]+$/, "") : nameOf(path) === MANIFEST_FILE ? folderOf(path) : "";
  if (["", ".", ".."].includes(nameOf(folder))) {
    throw new UserError("MISSING_OUTPUT", `"${path}" gives the bundle no name`, "add --output FILE");
  }
  return `${folder}.tar`;
}

function progressLine(): { readonly show: (done: number, total: number) => void; readonly end: () => void } {
  const isLive = isTerminal("stderr");
  let shown = 0;
  return {
    show(done, total) {
      if (!isLive || done - shown < PROGRESS_BYTES) return;
      shown = done;
      const line = `  packing ${groupedNumber(done / 2 ** 20)} of ${groupedNumber(total / 2 ** 20)} MiB`;
      draw("stderr", ControlCode.lineStart, line);
    },
    end: () => void (shown > 0 && draw("stderr", ControlCode.lineStart, ControlCode.eraseLine)),
  };
}

function formatBundle(
  { path, manifest, folder, files, bytes, checkpoints, attestations, timestamps, sha256 }: Bundle,
  segments: readonly string[] = [],
): string {
  const { taken, left, bytesLeft } = checkpoints;
  const rows = [
    ["manifest", printable(manifest.path, 800)],
    ["its sha256", manifest.sha256],
    ["files", groupedNumber(files)],
    [
      "checkpoints",
      left === 0
        ? `all ${taken}`
        : `${taken} of ${taken + left}; the others would add ${groupedNumber(bytesLeft)} bytes`,
    ],
    ["attestations", attestations.taken === 0 ? "none" : String(attestations.taken)],
    ...(timestamps.taken === 0 ? [] : [["timestamps", String(timestamps.taken)]]),
    ...[...attestations.left, ...timestamps.left].map((
      { name, reason },
    ) => ["", `not ${name}: ${printable(reason, 300)}`]),
    ["size", `${groupedNumber(bytes)} bytes`],
    ["sha256", sha256],
  ];
  const name = nameOf(path);
  const spared = left === 0 ? "" : " --without-checkpoints";
  return [
    `Packed ${path}`,
    ...rows.map(([label = "", value]) => `  ${label.padEnd(12)}  ${value}`),
    "",
    "Whoever receives it checks it as it is:",
    `  deno task verify ${name}${spared}`,
    "or unpacks it, with the same result:",
    `  tar xf ${name}`,
    `  deno task verify ${folder}/${MANIFEST_FILE}${spared}`,
    ...(segments.length === 0 ? [] : [
      `and retrains ${segments.length === 1 ? "the segment" : "the segments"}; "attest" with a key signs that:`,
      `  deno task retrain ${name}${spared} --retrain ${segments.map(shellWord).join(" ")}`,
    ]),
  ].join("\n");
}

/** `bundle` */
export const bundleCommand: Command = {
  summary: "packs a manifest and what belongs to it into one archive that verifies anywhere",
  usage: "FOLDER [options]",
  options: OPTIONS,
  run,
};
