/** The version of the renderer stands for bytes: a verifier of the same version must make the same page. */
import assert from "node:assert/strict";
import { sha256 } from "../../src/digest/sha256.ts";
import { planFromJson } from "../../src/experiment/plan/plan_json.ts";
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
    "rewarm report v6",
    "aa6d54b2803e03f699e8948a30b5ec36e354c9a7261f73e49f46bce19952c56a",
    "c8f11c8146b7fcbbec27182ff313e3aa33db0c367c887fabc87f068f8e643b0b",
  ]);
});
