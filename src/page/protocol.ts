/**
 * What the page's two threads tell each other: one shows, the other verifies and retrains. It stands for itself, so that
 * what shows needs nothing else of the project.
 */

/** A step of a verification and what came of it; `manifest/verify/verification_report.ts` says more. */
export interface ShownStep {
  readonly name: string;
  readonly status: "ok" | "failed" | "not checked";
  readonly detail: string;
}

/** What of a report is shown. */
export interface ShownReport {
  readonly verdict: "verified" | "failed" | "could not check";
  readonly steps: readonly ShownStep[];
  readonly caveats: readonly string[];
  readonly signers: readonly { readonly keyId: string; readonly trustedAs?: string }[];
  readonly manifestDigest?: string;
}

/** A file that the reader gave. */
export interface GivenFile {
  /** name, or path within what was dropped, with "/" */
  readonly path: string;
  readonly content: Blob;
}

/** A public key that the reader knows. */
export interface GivenKey {
  /** how reports call it */
  readonly name: string;
  /** PEM */
  readonly text: string;
}

/** What the reader asks for beyond the manifest. */
export interface VerifyRequest {
  readonly keys: readonly GivenKey[];
  readonly withoutCheckpoints: boolean;
}

/** What is to be retrained. */
export interface RetrainRequest extends VerifyRequest {
  /** segments to draw, or all */
  readonly count: number | "all";
  /** 32 hexadecimal digits; drawn here if absent */
  readonly seed?: string;
  /** the reader's corpora, where they are not those of the page */
  readonly corpora?: {
    readonly upstream: readonly GivenFile[];
    readonly downstream: readonly GivenFile[];
    readonly tokenizer?: GivenFile;
  };
}

/** From the thread that shows. */
export type Request =
  | { readonly kind: "start"; readonly resources: Uint8Array<ArrayBuffer> }
  | { readonly kind: "open"; readonly files: readonly GivenFile[] }
  | { readonly kind: "fetch"; readonly url: string; readonly page: string }
  | { readonly kind: "verify"; readonly request: VerifyRequest }
  | { readonly kind: "retrain"; readonly request: RetrainRequest }
  | { readonly kind: "pause"; readonly isPaused: boolean }
  | { readonly kind: "stop" }
  | {
    readonly kind: "attest";
    readonly privateKey: CryptoKey;
    /** of the public key */
    readonly spki: Uint8Array<ArrayBuffer>;
  };

/** How the engine here computes. */
export interface EngineFacts {
  readonly threads: number;
  readonly memory: "shared" | "unshared";
}

/** From the thread that works. */
export type Answer =
  /** it takes requests from now on */
  | { readonly kind: "loaded" }
  | {
    readonly kind: "ready";
    readonly engine: EngineFacts;
    readonly version: string;
    /** names of a verification's steps, in their order */
    readonly steps: readonly string[];
    /** of everything that came along */
    readonly licences: string;
  }
  /** what is to be looked at, by the name that the reader knows */
  | { readonly kind: "opened"; readonly name: string }
  | { readonly kind: "step"; readonly step: ShownStep }
  | {
    readonly kind: "report";
    readonly report: ShownReport;
    /** as the terminal prints it */
    readonly text: string;
    readonly isRetrained: boolean;
  }
  /** drawn from the verified curves; without a page the reason */
  | { readonly kind: "drawn"; readonly html?: string; readonly reason?: string }
  | { readonly kind: "data"; readonly stage: string; readonly doneBytes: number; readonly totalBytes: number }
  | {
    readonly kind: "choice";
    readonly segments: readonly string[];
    readonly total: number;
    /** optimizer steps of all segments */
    readonly steps: number;
    readonly worth: string;
    readonly seed?: string;
  }
  | { readonly kind: "trained"; readonly run: string; readonly step: number }
  | { readonly kind: "segment"; readonly name: string; readonly line: string }
  | { readonly kind: "attestation"; readonly name: string; readonly text: string; readonly keyId: string }
  /** it could not be done: one sentence for the reader */
  | { readonly kind: "problem"; readonly message: string };
