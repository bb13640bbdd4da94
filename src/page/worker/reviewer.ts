/** The reviewer's work in the page: the code of the terminal's commands, with the page's files and engine. */
import project from "../../../deno.json" with { type: "json" };
import { attestationName } from "../../attestation/predicate.ts";
import { requireReviewer, signAttestation } from "../../attestation/sign.ts";
import { retrainingLines } from "../../cli/retrain_lines.ts";
import { sha256 } from "../../digest/sha256.ts";
import type { Engine } from "../../engine/engine.ts";
import { createExactEngine } from "../../engine/exact/engine.ts";
import { nameOf } from "../../files/durable.ts";
import { importVerifyingKey, parseVerifyingKey, type SigningKey } from "../../manifest/keys/keys.ts";
import { MANIFEST_FILE, openManifest } from "../../manifest/verify/open_manifest.ts";
import { formatVerification, type VerificationReport } from "../../manifest/verify/verification_report.ts";
import { verifyManifestFile } from "../../manifest/verify/verify_file.ts";
import type { VerifyOptions } from "../../manifest/verify/verify_options.ts";
import { drawingFlaw, type PageEvidence } from "../../manifest/verify/verify_report.ts";
import { verificationMeans } from "../../reproduce/verification_means.ts";
import { retrain, type Retraining, type RetrainingEvents, type RetrainingOptions } from "../../retrain/retrain.ts";
import { segmentName } from "../../retrain/segment.ts";
import { KERNELS, resource } from "../platform/resources.ts";
import type { Answer, EngineFacts, GivenFile, RetrainRequest, VerifyRequest } from "../protocol.ts";
import { manifestAmong, placeFiles } from "./given_files.ts";
import { Gate, pausable } from "./pausable_engine.ts";
import { mountAddress, ownAddress } from "./remote_files.ts";

/** Threads share memory only in a page that is isolated from other origins. */
export function engineFacts(): EngineFacts {
  if ((globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated !== true) {
    return { threads: 1, memory: "unshared" };
  }
  return { threads: Math.min(64, navigator.hardwareConcurrency), memory: "shared" };
}

/** Verifies what was opened, as often as it is asked to. */
export class Reviewer {
  readonly #tell: (answer: Answer) => void;
  readonly #gate = new Gate();
  #path: string | undefined;
  #found: Pick<Retraining, "report" | "choice"> | undefined;
  #stop: AbortController | undefined;

  constructor(tell: (answer: Answer) => void) {
    this.#tell = tell;
  }

  /** Version of the code in the page. */
  get version(): string {
    return project.version;
  }

  open(files: readonly GivenFile[]): void {
    this.#setPath(manifestAmong(placeFiles("/given", files)));
  }

  /** Opens what the page's own server has. */
  fetch(url: string, page: string): void {
    this.#setPath(mountAddress("/fetched", ownAddress(url, page)));
  }

  #setPath(path: string): void {
    this.#path = path;
    this.#found = undefined;
    this.#tell({ kind: "opened", name: path.replace(/^\/(given|fetched)\/?/, "") || MANIFEST_FILE });
  }

  pause(isPaused: boolean): void {
    if (isPaused) this.#gate.close();
    else this.#gate.open();
  }

  /** Ends retraining after the step that is under way. */
  stop(): void {
    this.#stop?.abort();
    this.#gate.open();
  }

  async verify(request: VerifyRequest): Promise<void> {
    let evidence: PageEvidence | undefined;
    const options = await this.#options(request);
    const report = await verifyManifestFile(this.#pathOrThrow(), {
      ...options,
      onStep: (step) => this.#tell({ kind: "step", step }),
      onEvidence: (found) => evidence = found,
    });
    this.#report({ report }, false);
    this.#tell(await drawn(report, evidence, options.renderer));
  }

  async retrain(request: RetrainRequest): Promise<void> {
    const { count, seed, corpora } = request;
    const pieces: RetrainingOptions["pieces"] = count === "all"
      ? { kind: "all" }
      : { kind: "random", count, ...(seed === undefined ? {} : { seed }) };
    const facts = engineFacts();
    this.#stop = new AbortController();
    this.#gate.open();
    const result = await retrain(this.#pathOrThrow(), {
      ...await this.#options(request),
      pieces,
      signal: this.#stop.signal,
      engine: async () => pausable(await pageEngine(facts), this.#gate),
      ...(corpora === undefined ? {} : { corpusFiles: placeCorpora(corpora) }),
      onStep: (step) => this.#tell({ kind: "step", step }),
      events: this.#events(),
    });
    this.#report(result, true);
  }

  /** Signs what was found last. */
  async attest(privateKey: CryptoKey, spki: Uint8Array<ArrayBuffer>): Promise<void> {
    const found = this.#found;
    if (found === undefined) throw new TypeError("Nothing was verified yet");
    const key: SigningKey = { privateKey, ...await importVerifyingKey(spki, "This browser's key") };
    const path = this.#pathOrThrow();
    const { bytes } = await openManifest(path);
    await requireReviewer(bytes, key);
    const name = path.endsWith(".json") ? nameOf(path) : MANIFEST_FILE;
    const threads = found.choice === undefined ? {} : { threads: engineFacts().threads };
    const text = await signAttestation(name, found, { key, ...threads });
    this.#tell({ kind: "attestation", name: attestationName(key.keyId), text, keyId: key.keyId });
  }

  #pathOrThrow(): string {
    if (this.#path === undefined) throw new TypeError("Nothing was opened yet");
    return this.#path;
  }

  async #options({ keys, withoutCheckpoints }: VerifyRequest) {
    const trustedKeys = await Promise.all(keys.map(async ({ name, text }) => ({
      name,
      key: await parseVerifyingKey(text, `"${name}"`),
    })));
    return {
      ...await verificationMeans(),
      ...(trustedKeys.length === 0 ? {} : { trustedKeys }),
      ...(withoutCheckpoints ? { withoutCheckpoints } : {}),
    } satisfies VerifyOptions;
  }

  #events(): RetrainingEvents {
    let line = "";
    const lines = retrainingLines((text) => line = text);
    return {
      onData: (progress) => {
        if ("totalBytes" in progress) {
          this.#tell({ kind: "data", ...progress, stage: `${progress.stage} ${progress.corpus}` });
        }
      },
      onChoice: (choice) => {
        lines.onChoice?.(choice);
        const { segments, total, worth, seed } = choice;
        this.#tell({
          kind: "choice",
          segments: segments.map(segmentName),
          total,
          steps: segments.reduce((sum, { from, to }) => sum + to - from, 0),
          worth,
          ...(seed === undefined ? {} : { seed }),
        });
      },
      onStep: (run, step) => this.#tell({ kind: "trained", run: run.label, step }),
      onSegment: (segment, work) => {
        lines.onSegment?.(segment, work);
        this.#tell({ kind: "segment", name: segmentName(segment), line: line.trim() });
      },
    };
  }

  #report(found: Pick<Retraining, "report" | "choice">, isRetrained: boolean): void {
    this.#found = found;
    const { verdict, steps, caveats, signers, manifestDigest } = found.report;
    const report = { verdict, steps, caveats, signers, ...(manifestDigest === undefined ? {} : { manifestDigest }) };
    this.#tell({ kind: "report", report, text: formatVerification(found.report).trimEnd(), isRetrained });
  }
}

/** The page of claims and figures, from what was verified and nothing else. */
async function drawn(
  { verdict }: VerificationReport,
  evidence: PageEvidence | undefined,
  renderer: NonNullable<VerifyOptions["renderer"]>,
): Promise<Answer> {
  if (verdict !== "verified") {
    return { kind: "drawn", reason: "Claims and figures are drawn only of what is verified." };
  }
  const tooMuch = evidence === undefined ? undefined : drawingFlaw(evidence);
  if (tooMuch !== undefined) return { kind: "drawn", reason: `Not drawn: ${tooMuch}.` };
  const html = evidence === undefined ? undefined : await renderer.render(evidence);
  if (html !== undefined) return { kind: "drawn", html };
  return { kind: "drawn", reason: "This form of the manifest does not hold what its figures are drawn from." };
}

/** The exact engine with the kernels that came along, the same bits as anywhere. */
function pageEngine({ threads, memory }: EngineFacts): Promise<Engine> {
  return createExactEngine({
    threads,
    memory,
    sha256,
    kernels: "wasm",
    cache: {
      get: (digest) => Promise.resolve().then(() => resource(`${KERNELS}${digest}.wasm`)),
      put: () => Promise.resolve(),
    },
  });
}

function placeCorpora({ upstream, downstream, tokenizer }: NonNullable<RetrainRequest["corpora"]>) {
  const [file] = tokenizer === undefined ? [] : placeFiles("/corpora/tokenizer", [tokenizer]);
  return {
    upstream: placeFiles("/corpora/upstream", upstream),
    downstream: placeFiles("/corpora/downstream", downstream),
    ...(file === undefined ? {} : { tokenizer: file }),
  };
}
