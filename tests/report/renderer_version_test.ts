/** The version of the renderer stands for bytes: a verifier of the same version must make the same page. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { planFromJson } from "../../src/experiment/plan_json.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { verifyManifestFile } from "../../src/manifest/verify/verify_file.ts";
import { manifestPage } from "../../src/report/manifest_page.ts";
import { renderReport } from "../../src/report/page.ts";
import { RENDERER_VERSION } from "../../src/report/renderer_version.ts";
import { parseCurves } from "../../src/results/curves_schema.ts";
import { parsePaper } from "../../src/results/paper_schema.ts";
import { sampleInput } from "./fixture.ts";

/** A manifest that is never changed. */
const FOLDER = decodeURIComponent(new URL("../fixtures/manifests/v1/", import.meta.url).pathname);
const read = (name: string) => Deno.readTextFileSync(`${FOLDER}${name}`);

async function pageOfKeptManifest(): Promise<string> {
  const { statement } = await verifyManifestFile(FOLDER);
  assert(statement !== undefined);
  const { predicate } = statement;
  const curves = predicate.runs.filter(isTrained).map((run) =>
    [run.key, parseCurves(read(run.curves.name), run.curves.name)] as const
  );
  return manifestPage({
    predicate: { ...predicate, data: { source: "scale", tokenUnit: "byte", shortages: [] } },
    plan: planFromJson(JSON.parse(read("plan.json")), "plan.json"),
    paper: parsePaper(read("paper.yaml"), "paper.yaml"),
    curves: new Map(curves),
  });
}

Deno.test(`RENDERER_VERSION "${RENDERER_VERSION}" stands for these bytes: others need another version`, async () => {
  const pages = [renderReport(sampleInput(3)), await pageOfKeptManifest()];
  assert.deepEqual([RENDERER_VERSION, ...pages.map((page) => sha256(page))], [
    "rewarm report v3",
    "ba8cf9d48c37ec8a7adbe58b656cb6635224b080a84f4bb6e421989b7fcdb24a",
    "fc1fae96361496ee38605ae1ecea921aa7374a04d42a78037569c9129002ad6b",
  ]);
});
