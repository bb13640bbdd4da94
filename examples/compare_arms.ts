/**
 * Two arms of a finished reproduction, point by point, from the curves beside its manifest, once it is verified.
 *
 * deno run --allow-read examples/compare_arms.ts out/tiny max-learning-rate/1x max-learning-rate/2x
 */
import { openManifest, paperRules, verify } from "../mod.ts";

const [folder = "out/tiny", first = "max-learning-rate/1x", second = "max-learning-rate/2x"] = Deno.args;
const { verdict, statement } = await verify(folder, { judge: await paperRules() });
if (verdict !== "verified" || statement === undefined) throw new Error(`${folder} is ${verdict}`);

const { artefacts } = await openManifest(folder);
async function curveOf(arm: string): Promise<ReadonlyMap<number, number>> {
  const run = statement?.predicate.runs.find(({ usedBy }) =>
    usedBy.some((use) => `${use.experiment}/${use.arm}` === arm && use.seedIndex === 0)
  );
  if (run === undefined || run.outcome === "skipped") throw new Error(`${folder} has no run for ${arm}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of artefacts.open(run.curves.name)) chunks.push(chunk);
  const { points } = JSON.parse(await new Blob(chunks as BlobPart[]).text()) as {
    points: { step: number; upstream: number }[];
  };
  return new Map(points.map(({ step, upstream }) => [step, upstream]));
}

const [a, b] = await Promise.all([curveOf(first), curveOf(second)]);
console.log(`step\t${first}\t${second}\tdifference, upstream loss in nats`);
for (const [step, loss] of a) {
  const other = b.get(step);
  if (other !== undefined) console.log([step, loss, other, other - loss].join("\t"));
}
