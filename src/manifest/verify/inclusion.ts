/**
 * Showing one part of a run: a record of its journal, or the digest of a checkpoint, with a proof that a signed manifest
 * commits to it at that place (docs/manifest.md). Web-standard APIs only.
 */
import { z } from "zod";
import { digestSchema } from "../../digest/digest_schema.ts";
import { InclusionProver, MerkleTree, rootOfPath } from "../../digest/merkle.ts";
import { type Digest, shortDigest } from "../../digest/sha256.ts";
import { UserError } from "../../errors.ts";
import type { RunKey } from "../../experiment/run/run.ts";
import { printable } from "../../files/safe_name.ts";
import { type JournalRecord, MAX_LONG_LINE_BYTES, parseRecord } from "../../train/journal/journal_record.ts";
import type { ArtefactReader } from "./artefacts.ts";
import { findRun } from "../format/find_run.ts";
import type { Statement } from "../format/predicate.ts";
import { type Artefact, isTrained, type TrainedRun } from "../format/run.ts";
import { checkpointLeaf, journalLeaf, leafIndex, PART_KINDS, readLeaves, type RunPart } from "../format/run_tree.ts";
import { schemaFlaws } from "../statement.ts";
import type { Signer } from "./verification_report.ts";
import { verifyManifest } from "./verify.ts";
import type { TrustedKey } from "./verify_signature.ts";

/** A part of a run with the way to the run's Merkle root; plain JSON. */
export interface InclusionProof extends RunPart {
  /** name and version of this form */
  readonly format: "rewarm inclusion proof v1";
  /** key of the run */
  readonly run: RunKey;
  /** the journal's line without its line feed; of a checkpoint the file's SHA-256 */
  readonly leaf: string;
  /** hashes beside the way from the leaf to the root, in this order: the inclusion path of RFC 9162 */
  readonly path: readonly Digest[];
}

const proofSchema: z.ZodType<InclusionProof> = z.strictObject({
  format: z.literal("rewarm inclusion proof v1"),
  run: digestSchema as z.ZodType<string> as z.ZodType<RunKey>,
  kind: z.enum(PART_KINDS),
  step: z.int().min(0),
  leaf: z.string().max(MAX_LONG_LINE_BYTES),
  path: z.array(digestSchema).max(64),
});

/** A checkpoint that is known by its digest. */
export interface CheckpointPart extends Artefact {
  /** a checkpoint */
  readonly kind: "checkpoint";
  /** optimizer steps done */
  readonly step: number;
}

/** What a proof shows, or why it shows nothing. */
export type Inclusion =
  | {
    /** the manifest commits to the part */
    readonly included: true;
    /** the run as the manifest states it */
    readonly run: TrainedRun;
    /** what was proved to be at its place in the run */
    readonly part: JournalRecord | CheckpointPart;
    /** who signed the manifest */
    readonly signers: readonly Signer[];
  }
  | {
    /** nothing was shown */
    readonly included: false;
    /** one sentence without final stop */
    readonly reason: string;
  };

/** For a verification that ends before the artefacts. */
const NO_ARTEFACTS: ArtefactReader = {
  open(name) {
    throw new UserError("FILE_NOT_FOUND", `"${name}" is not looked at`);
  },
};

interface SignedStatement {
  readonly statement: Statement;
  readonly signers: readonly Signer[];
}

/** The statement, if signature, types, schema and consistency are good; a string says what is not. */
async function readSigned(
  manifest: Uint8Array,
  trustedKeys: readonly TrustedKey[] = [],
): Promise<SignedStatement | string> {
  const { steps, statement, signers } = await verifyManifest(manifest, NO_ARTEFACTS, { trustedKeys });
  if (statement !== undefined) return { statement, signers };
  const flaw = steps.find(({ status }) => status === "failed") ??
    steps.find(({ name, status }) => status === "not checked" && name !== "signer");
  return `the manifest does not verify: ${flaw?.name}: ${flaw?.detail}`;
}

/**
 * Makes a proof that a manifest commits to a part of a run. Reads the run's journal; its checkpoints need not be there.
 *
 * @param manifest contents of `manifest.dsse.json`
 * @param part which one, of the run with this label, or whose key begins so
 * @throws {UserError} if the manifest does not verify, states no such part, or the journal is not the one it commits to
 */
export async function proveInclusion(
  manifest: Uint8Array,
  artefacts: ArtefactReader,
  part: RunPart & { readonly run: string },
): Promise<InclusionProof> {
  const { kind, step } = part;
  const signed = await readSigned(manifest);
  if (typeof signed === "string") throw new UserError("CANNOT_PROVE", `Nothing can be proved, ${signed}`);
  const run = findRun(part.run, signed.statement.predicate.runs);
  const index = leafIndex(run, part);
  if (index === undefined) throw new UserError("CANNOT_PROVE", noSuchPart(run, part));
  const { treeSize, rootHash } = run.merkleTree;
  const tree = new MerkleTree();
  const prover = new InclusionProver(index, treeSize);
  let data: Uint8Array | undefined;
  const { problem } = await readLeaves(run, artefacts, (leaf) => {
    if (tree.size === index) data = leaf;
    tree.append(leaf);
    prover.append(leaf);
  });
  if (problem !== undefined || data === undefined || tree.size !== treeSize || tree.root() !== rootHash) {
    throw new UserError(
      "EVIDENCE_CHANGED",
      `"${run.journal.name}" is not the journal that the manifest commits to`,
      "verify the manifest to see what was changed",
    );
  }
  // A leaf's data ends with what is shown of it, after the last line feed.
  const text = new TextDecoder().decode(data);
  const leaf = text.slice(text.lastIndexOf("\n") + 1);
  return { format: "rewarm inclusion proof v1", run: run.key, kind, step, leaf, path: prover.path() };
}

/**
 * Checks a proof against a signed manifest, without any artefact. Never throws: whatever the bytes are, there is an
 * answer. Without trusted keys the caller has to know whose the signers' keys are.
 *
 * @param manifest contents of `manifest.dsse.json`
 * @param proof as {@linkcode proveInclusion} makes it, parsed from JSON of whatever source
 */
export async function verifyInclusion(
  manifest: Uint8Array,
  proof: unknown,
  options: { readonly trustedKeys?: readonly TrustedKey[] } = {},
): Promise<Inclusion> {
  const refused = (reason: string): Inclusion => ({ included: false, reason });
  const parsed = proofSchema.safeParse(proof);
  if (!parsed.success) return refused(`the proof has another form: ${schemaFlaws(parsed.error).join("; ")}`);
  const signed = await readSigned(manifest, options.trustedKeys);
  if (typeof signed === "string") return refused(signed);
  const { run: key, leaf, path, ...place } = parsed.data;
  const run = signed.statement.predicate.runs.filter(isTrained).find((run) => run.key === key);
  if (run === undefined) return refused(`the manifest has no trained run ${shortDigest(key)}`);
  const index = leafIndex(run, place);
  if (index === undefined) return refused(noSuchPart(run, place));
  const { part, data } = readLeaf(run, place, leaf);
  const { treeSize, rootHash } = run.merkleTree;
  const found = rootOfPath(data, index, treeSize, path);
  if (found === undefined) return refused(`leaf ${index} of ${treeSize} has no path of ${path.length} hashes`);
  if (found !== rootHash) {
    return refused(
      `the path leads to root ${shortDigest(found)}, and the manifest commits to ${shortDigest(rootHash)}`,
    );
  }
  if (typeof part === "string") return refused(part);
  return { included: true, run, part, signers: signed.signers };
}

function noSuchPart({ label, journal }: TrainedRun, { kind, step }: RunPart): string {
  return `Run "${label}" of ${journal.steps} steps has no ${kind} at step ${step}`;
}

/** What a leaf says, and its data; a string as part says why it is not what it should be. */
function readLeaf(
  run: TrainedRun,
  { kind, step }: RunPart,
  leaf: string,
): { readonly part: JournalRecord | CheckpointPart | string; readonly data: Uint8Array } {
  if (kind === "checkpoint") {
    const checkpoint = run.states.find((state) => state.step === step)?.checkpoint;
    if (checkpoint === undefined) throw new Error(noSuchPart(run, { kind, step }));
    const data = checkpointLeaf({ name: checkpoint.name, sha256: leaf as Digest });
    return { part: { kind, step, ...checkpoint }, data };
  }
  const data = journalLeaf(run.journal, leaf);
  const parsed = parseRecord(leaf);
  if (typeof parsed === "string") return { part: `"${printable(leaf)}" is no record: ${parsed}`, data };
  const { record } = parsed;
  const isThis = record.kind === kind && record.step === step;
  return { part: isThis ? record : `the record is a ${record.kind} at step ${record.step}`, data };
}
