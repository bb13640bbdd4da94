/**
 * The description by which archives take a bundle in: `ro-crate-metadata.json`, RO-Crate 1.1 with the Process Run Crate
 * profile 0.5 (https://w3id.org/ro/crate/1.1, https://w3id.org/ro/wfrun/process/0.5). It follows from the signed statement
 * and the files that are there, so that a verifier writes it again and compares. Web-standard APIs only.
 *
 * npm's `ro-crate` builds such files too; it is under the GPL, fetches contexts from the network, and fixes no order.
 */
import type { Digest } from "../../digest/sha256.ts";
import { canonicalJson } from "../../digest/canonical_json.ts";
import { isWitnessName, RO_CRATE_FILE } from "./companions.ts";
import type { Statement } from "./predicate.ts";

/** The license that the page, rules and plan have from rewarm, and a bundle unless its maker names another. */
export const DEFAULT_LICENSE = "Apache-2.0";

/** A file of the bundle. */
export interface CrateFile {
  readonly name: string;
  /** bytes */
  readonly size: number;
  /** absent for files that no signed statement names */
  readonly sha256?: Digest;
}

/** What the description follows from, besides the statement. */
export interface CrateFacts {
  /** of the manifest's bytes */
  readonly manifest: Digest;
  /** all files but the description itself */
  readonly files: readonly CrateFile[];
  /** SPDX identifier */
  readonly license: string;
}

type Entity = Readonly<Record<string, unknown>>;

const PROFILE = "https://w3id.org/ro/wfrun/process/0.5";
const PAPER = "https://arxiv.org/abs/2308.04014";
const DOI = "https://doi.org/10.48550/arXiv.2308.04014";

/** Media types by the ends of names. */
const FORMATS: readonly (readonly [end: string, format: string])[] = [
  [".json", "application/json"],
  [".jsonl", "application/jsonl"],
  [".html", "text/html"],
  [".yaml", "application/yaml"],
  [".safetensors", "application/octet-stream"],
  [".tsr", "application/timestamp-reply"],
];

const WHAT: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^manifest\.dsse\.json$/, "Signed statement of the reproduction: in-toto in a DSSE envelope"],
  [/^report\.html$/, "Report: the paper's figures and claims from these curves"],
  [/^plan\.json$/, "Plan: the graph of runs"],
  [/^paper\.yaml$/, "The paper's claims, with the rules that judge them"],
  [/journal\.jsonl$/, "Journal of a run: every step, chained by SHA-256"],
  [/curves\.json$/, "Validation losses of a run"],
  [/\.safetensors$/, "Checkpoint: weights and optimizer state"],
  [/^attestations\//, "A reviewer's attestation"],
  [/^timestamps\/plan\.tsr$/, "Timestamp (RFC 3161) of plan and rules"],
  [/^timestamps\/manifest\.tsr$/, "Timestamp (RFC 3161) of the manifest"],
];

/** @param names entities by their `@id` */
function refer(names: readonly string[]): readonly Entity[] {
  return names.map((name) => ({ "@id": name }));
}

/** RFC 3986: what a path may hold as it is, `/` among it, and everything else by its UTF-8 bytes. */
function fileId(name: string): string {
  return name.split("/").map((part) => encodeURIComponent(part)).join("/");
}

function licenseUrl(license: string): string {
  return `https://spdx.org/licenses/${license}`;
}

function licenseEntity(license: string): Entity {
  const url = licenseUrl(license);
  return { "@id": url, "@type": "CreativeWork", identifier: license, name: license, url };
}

/** The document, in one order and ending with a newline. */
export function roCrate({ predicate }: Statement, { manifest, files, license }: CrateFacts): string {
  const { tool, scale, seeds, engine, metadata: { createdAt } } = predicate;
  const sorted = files.toSorted((a, b) => a.name < b.name ? -1 : 1);
  const ids = sorted.map(({ name }) => fileId(name));
  const software = `#rewarm-${tool.version}`;
  const repetitions = seeds.count === 1 ? "one seed" : `${seeds.count} seeds`;
  const graph: readonly Entity[] = [
    {
      "@id": RO_CRATE_FILE,
      "@type": "CreativeWork",
      about: { "@id": "./" },
      conformsTo: { "@id": "https://w3id.org/ro/crate/1.1" },
    },
    {
      "@id": "./",
      "@type": "Dataset",
      citation: refer([PAPER]),
      conformsTo: refer([PROFILE]),
      datePublished: createdAt,
      description:
        `A reproduction of the paper at scale "${scale}" with ${repetitions}, by the engine "${engine.name}": ` +
        "journals, curves, claims with their verdicts, and the signed statement that names all of them by SHA-256.",
      hasPart: refer(ids),
      identifier: `sha256:${manifest}`,
      license: { "@id": licenseUrl(license) },
      mentions: refer(["#reproduction"]),
      name: `Continual pre-training, reproduced: scale ${scale}, ${manifest.slice(0, 12)}`,
    },
    { "@id": PROFILE, "@type": "CreativeWork", name: "Process Run Crate", version: "0.5" },
    licenseEntity(license),
    {
      "@id": PAPER,
      "@type": "ScholarlyArticle",
      author: refer(AUTHORS.map(authorId)),
      datePublished: "2023",
      name: "Continual Pre-Training of Large Language Models: How to (re)warm your model?",
      sameAs: DOI,
    },
    ...(license === DEFAULT_LICENSE ? [] : [licenseEntity(DEFAULT_LICENSE)]),
    ...AUTHORS.map((name) => ({ "@id": authorId(name), "@type": "Person", name })),
    {
      "@id": software,
      "@type": "SoftwareApplication",
      license: { "@id": licenseUrl(DEFAULT_LICENSE) },
      name: tool.name,
      softwareVersion: tool.version,
      url: "https://rewarm.dev",
    },
    {
      "@id": "#reproduction",
      "@type": "CreateAction",
      actionStatus: { "@id": "http://schema.org/CompletedActionStatus" },
      description: predicate.command.join(" "),
      endTime: createdAt,
      instrument: { "@id": software },
      name: `Training, judging and signing, scale ${scale}`,
      object: refer(["#plan-inputs"]),
      result: refer(ids.filter((_, i) => !isWitnessName(sorted[i]?.name ?? ""))),
    },
    {
      "@id": "#plan-inputs",
      "@type": "PropertyValue",
      name: "digest of the plan's content",
      value: predicate.plan.planDigest,
    },
    ...sorted.map(({ name, size, sha256 }, i): Entity => ({
      "@id": ids[i],
      "@type": "File",
      contentSize: `${size}`,
      encodingFormat: FORMATS.find(([end]) => name.endsWith(end))?.[1] ?? "application/octet-stream",
      name,
      ...describe(name),
      ...(sha256 === undefined ? {} : { sha256 }),
    })),
  ];
  const document = {
    "@context": ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"],
    "@graph": graph,
  };
  // Members in one order, and indented, since people read it too.
  return `${JSON.stringify(JSON.parse(canonicalJson(document)), undefined, 2)}\n`;
}

/** The license that a description names, if it is one of ours. */
export function licenseOf(crate: string): string | undefined {
  return /"license": \{\n\s*"@id": "https:\/\/spdx\.org\/licenses\/([A-Za-z0-9.+-]{1,64})"/.exec(crate)?.[1];
}

function describe(name: string): Entity {
  const what = WHAT.find(([pattern]) => pattern.test(name))?.[1];
  return what === undefined ? {} : { description: what };
}

/** As on the paper's first page. */
const AUTHORS = [
  "Kshitij Gupta",
  "Benjamin Thérien",
  "Adam Ibrahim",
  "Mats L. Richter",
  "Quentin Anthony",
  "Eugene Belilovsky",
  "Irina Rish",
  "Timothée Lesort",
] as const;

function authorId(name: string): string {
  return `#${fileId(name.replaceAll(" ", "-"))}`;
}
