/** The demand that so many reviewers attested a manifest. Web-standard APIs only. */
import { counted } from "../text/numbers.ts";
import { UserError } from "../errors.ts";
import { printable } from "../files/safe_name.ts";
import { type ArtefactFolder, type ArtefactReader, readArtefact } from "../manifest/verify/artefacts.ts";
import type { ManifestRun } from "../manifest/format/run.ts";
import type { Review, StepOutcome } from "../manifest/verify/verification_report.ts";
import { listed, readProblem } from "../manifest/verify/verify_artefacts.ts";
import type { AttestationsOutcome, AttestedManifest, CountAttestations } from "../manifest/verify/verify_options.ts";
import type { TrustedKey } from "../manifest/verify/verify_signature.ts";
import { ATTESTATION_FOLDER, isAttestationName } from "../manifest/format/companions.ts";
import { parseSegment, type Segment, segmentName, segmentsOf } from "../retrain/segment.ts";
import { MAX_SHARES, segmentsOfShare, type Share, shareName } from "../retrain/share.ts";
import { type Attestation, attestationName, type AttestedRetraining, shareOf } from "./predicate.ts";
import { MAX_ATTESTATION_BYTES, readAttestation } from "./read.ts";
import { retrainingOf } from "./signed_words.ts";

/** What is demanded of reviewers. */
export interface AttestationDemand {
  /** distinct keys whose attestations must count */
  readonly count: number;
  /** whose attestations count; the same key twice is one reviewer */
  readonly reviewers: readonly TrustedKey[];
  /**
   * what they must have retrained: each of them so many segments, drawn with fresh randomness; or every segment by so
   * many of them, where shares of several add up
   */
  readonly retrain?: number | "all";
  /** share of all trained tokens, above 0 and at most 1, in segments that one or more of them retrained, all together */
  readonly coverage?: number;
}

/**
 * Makes the step of a verification that counts attestations. Only the files of the named reviewers are opened, by
 * their keys' names: nothing else beside the manifest is looked at. Who signed the manifest is no reviewer of it.
 *
 * @throws {UserError} `BAD_NUMBER` or `NOT_ENOUGH_REVIEWERS` for a demand that nothing could meet
 */
export function requireAttestations(demand: AttestationDemand): CountAttestations {
  const { count } = demand;
  if (demand.coverage !== undefined && !(demand.coverage > 0 && demand.coverage <= 1)) {
    throw new UserError(
      "BAD_NUMBER",
      `A coverage of ${demand.coverage} is required`,
      "expected above 0, at most 100 %",
    );
  }
  const reviewers = [...new Map(demand.reviewers.map((reviewer) => [reviewer.key.keyId, reviewer])).values()];
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UserError("BAD_NUMBER", `${count} reviewers are required`, "expected a whole number from 1");
  }
  if (count > reviewers.length) {
    throw new UserError(
      "NOT_ENOUGH_REVIEWERS",
      `${count} reviewers are required, and ${reviewers.length} are named`,
      "require fewer, or name more",
    );
  }
  return async (manifest, files) => {
    const segments = segmentsOf(manifest.statement.predicate.runs);
    const reviews: Review[] = [];
    const coverage = segments.map(() => 0);
    for (const { name, key } of reviewers) {
      const found: Finding = manifest.signers.includes(key.keyId) || await manifest.isSignedBy?.(key)
        ? { status: "refused", detail: "signed the manifest, and is no reviewer of it" }
        : await readReview(key, manifest, files, demand.retrain, segments);
      const { retrained = new Set<Segment>(), ...review } = found;
      for (const [index, segment] of segments.entries()) {
        if (retrained.has(segment)) coverage[index] = (coverage[index] ?? 0) + 1;
      }
      reviews.push({ reviewer: name, keyId: key.keyId, ...review });
    }
    const least = demand.retrain === "all" ? Math.min(...coverage) : undefined;
    const together = demand.coverage === undefined ? undefined : {
      wanted: demand.coverage,
      segments,
      open: segments.filter((_, index) => coverage[index] === 0),
    };
    return conclude(count, reviews, least, together);
  };
}

interface Finding extends Omit<Review, "reviewer" | "keyId"> {
  /** the segments that its attestations say were retrained */
  readonly retrained?: ReadonlySet<Segment>;
}

/** What a reviewer attests, in one file or share by share. */
async function readReview(
  key: TrustedKey["key"],
  manifest: AttestedManifest,
  files: ArtefactReader,
  demanded: AttestationDemand["retrain"],
  segments: readonly Segment[],
): Promise<Finding> {
  const whole = await readOne(attestationName(key.keyId), key, manifest, files, { demanded, segments });
  const names = await namesOfShares(key.keyId, files);
  const parts: Finding[] = [];
  for (const { name, share } of names) {
    parts.push(await readOne(name, key, manifest, files, { demanded, segments, share }));
  }
  const good = parts.filter(({ status }) => status === "counts");
  const retrained = new Set([whole, ...good].flatMap(({ retrained = new Set<Segment>() }) => [...retrained]));
  if (whole.status === "counts") return { ...whole, retrained };
  const [first] = good;
  if (first === undefined) return parts.find(({ status }) => status !== "missing") ?? whole;
  const newest = good.map(({ attestedAt = "" }) => attestedAt).sort().at(-1);
  return {
    ...first,
    detail: `${retrained.size} of ${segments.length} segments retrained, in ${counted(good.length, "share")}`,
    attestedAt: newest,
    retrained,
  };
}

/** The files in which a key attests shares: of all that lie there, those that are called by it. */
async function namesOfShares(keyId: string, files: ArtefactReader): Promise<{ name: string; share: Share }[]> {
  // A reader of a remote folder has no list of what is there; it counts whole attestations alone.
  const names = isFolder(files) ? await files.list(ATTESTATION_FOLDER) : [];
  return names.filter((name) => isAttestationName(name) && name.startsWith(`${ATTESTATION_FOLDER}/${keyId}.share-`))
    .slice(0, MAX_SHARES)
    .map((name) => {
      const [, share, shares] = /\.share-(\d+)-of-(\d+)\./.exec(name) ?? [];
      return { name, share: { share: Number(share), shares: Number(shares) } };
    });
}

/** What one attestation is held to. */
interface ReadingOptions {
  readonly demanded: AttestationDemand["retrain"];
  /** all of the manifest */
  readonly segments: readonly Segment[];
  /** that it must be about; absent for an attestation that is about no share */
  readonly share?: Share;
}

async function readOne(
  name: string,
  key: TrustedKey["key"],
  manifest: AttestedManifest,
  files: ArtefactReader,
  { demanded, segments, share }: ReadingOptions,
): Promise<Finding> {
  let attestation: Attestation | string;
  try {
    const bytes = await readArtefact(files, name, MAX_ATTESTATION_BYTES);
    attestation = await readAttestation(bytes, key, manifest);
  } catch (error) {
    const { kind, detail } = readProblem(error);
    return { status: kind, detail: kind === "missing" ? `there is no "${name}"` : detail };
  }
  if (typeof attestation === "string") return { status: "refused", detail: attestation };
  const { rewarm, timeCreated } = attestation.predicate;
  const retraining = retrainingOf(rewarm);
  const own = shareOf(retraining);
  if (own?.share !== share?.share || own?.shares !== share?.shares) {
    return { status: "refused", detail: `"${name}" is not the attestation that its name says` };
  }
  const done = describeRetraining(retraining);
  const said = { attestedAt: timeCreated, caveats: rewarm.caveats };
  const retrained = retrainedSegments(retraining, segments, manifest.statement.predicate.runs);
  return meets(retraining, demanded)
    ? { status: "counts", detail: done, ...said, retrained }
    : { status: "refused", detail: `${done}, ${dayOf(timeCreated)}; required: ${describeDemand(demanded)}`, ...said };
}

/** The segments that lie within what was retrained. */
function retrainedSegments(
  retraining: AttestedRetraining | undefined,
  segments: readonly Segment[],
  runs: readonly ManifestRun[],
): ReadonlySet<Segment> {
  switch (retraining?.pieces) {
    case undefined:
      return new Set();
    case "all":
      return new Set(segments);
    case "share":
      return new Set(segmentsOfShare(segments, retraining));
    case "drawn":
    case "repeated":
    case "named": {
      const pieces = retraining.segments.map((name) => parseSegment(name, runs));
      return new Set(
        segments.filter(({ run, from, to, diverges }) =>
          pieces.some((piece) =>
            piece.run.key === run.key && piece.from <= from && to <= piece.to && (piece.diverges || !diverges)
          )
        ),
      );
    }
  }
}

/** The day of a time in ISO 8601. */
function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** A named piece, or a seed that another may have picked, is no spot check of the reviewer's own. */
function meets(retraining: AttestedRetraining | undefined, demanded: AttestationDemand["retrain"]): boolean {
  if (demanded === undefined || retraining?.pieces === "all") return true;
  if (retraining?.pieces === "share") return demanded === "all"; // added to what others retrained
  return retraining?.pieces === "drawn" && demanded !== "all" && retraining.segments.length >= demanded;
}

function describeRetraining(retraining: AttestedRetraining | undefined): string {
  switch (retraining?.pieces) {
    case undefined:
      return "nothing retrained";
    case "all":
      return `all ${retraining.total} segments retrained`;
    case "drawn":
      return `${retraining.segments.length} of ${retraining.total} segments retrained`;
    case "repeated":
      return `${retraining.segments.length} of ${retraining.total} segments retrained, drawn by a given seed`;
    case "share":
      return `share ${shareName(retraining)} of all segments retrained`;
    case "named":
      return "named pieces retrained";
  }
}

function describeDemand(demanded: AttestationDemand["retrain"]): string {
  return demanded === "all" ? "all segments retrained" : `${demanded} or more drawn segments retrained`;
}

/** What all reviewers together retrained, where that is demanded. */
interface Together {
  /** share of the tokens that is demanded */
  readonly wanted: number;
  readonly segments: readonly Segment[];
  /** those that nobody retrained */
  readonly open: readonly Segment[];
}

/** Names in a command that is to be copied, at most. */
const MOST_NAMES = 10;

/** The share of the tokens that was retrained, and the command that checks what was not. */
function coverageWords({ segments, open }: Together): { readonly share: number; readonly words: string } {
  const tokensOf = (some: readonly Segment[]) => some.reduce((sum, { tokens }) => sum + tokens, 0);
  const all = tokensOf(segments);
  const share = all === 0 ? 1 : 1 - tokensOf(open) / all;
  const done = `${segments.length - open.length} of ${segments.length} segments were retrained by reviewers, ${
    (Math.floor(share * 1000) / 10).toFixed(1)
  } % of all tokens`;
  if (open.length === 0) return { share, words: done };
  const names = open.slice(0, MOST_NAMES).map((segment) => printable(segmentName(segment)));
  const more = open.length > MOST_NAMES ? ` (and ${open.length - MOST_NAMES} more)` : "";
  const command = `deno task retrain MANIFEST --retrain ${names.join(" ")}`;
  return { share, words: `${done}; ${counted(open.length, "segment")} nobody retrained: ${command}${more}` };
}

/** @param coverage reviewers who retrained the segment that fewest retrained, where all are to be */
function conclude(
  count: number,
  reviews: readonly Review[],
  coverage?: number,
  together?: Together,
): AttestationsOutcome {
  const of = (...statuses: Review["status"][]) =>
    reviews.filter(({ status }) => statuses.includes(status)).map(({ reviewer, status, detail, attestedAt = "" }) => {
      const date = status === "counts" ? `, ${dayOf(attestedAt)}` : "";
      return `${printable(reviewer)} (${printable(detail, 300)}${date})`;
    });
  const good = of("counts");
  const open = reviews.some(({ status }) => status === "unreadable");
  const covered = together === undefined ? undefined : coverageWords(together);
  const isCovered = covered === undefined || covered.share >= (together?.wanted ?? 0);
  const isMet = good.length >= count && (coverage ?? count) >= count && isCovered;
  const status: StepOutcome["status"] = isMet ? "ok" : open ? "not checked" : "failed";
  // What is damaged is named whatever comes of the step; who has not attested, only where that matters.
  const others = status === "ok" ? of("refused", "unreadable") : of("refused", "unreadable", "missing");
  const names = reviews.filter((review) => review.status === "counts").map(({ reviewer }) => printable(reviewer));
  return {
    status,
    detail: [
      `${good.length} of ${count} required reviewers attested this manifest${
        good.length === 0 ? "" : `: ${listed(good)}`
      }`,
      ...(isMet || coverage === undefined || good.length < count
        ? []
        : [`some segments were retrained by ${coverage} of them, and ${count} are required of each`]),
      ...(covered === undefined ? [] : [covered.words]),
      ...(others.length === 0 ? [] : [`not counted: ${listed(others)}`]),
    ].join("; "),
    caveats: [`That ${names.join(" and ")} did what they attest: it is their word.`],
    reviews,
  };
}

function isFolder(files: ArtefactReader): files is ArtefactFolder {
  return "list" in files;
}
