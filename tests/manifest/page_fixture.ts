/** The manifest of fixture.ts with a page that is really its own. */
import { sha256 } from "../../src/digest/sha256.ts";
import type { Predicate } from "../../src/manifest/format/predicate.ts";
import { isTrained } from "../../src/manifest/format/run.ts";
import { buildStatement, signStatement } from "../../src/manifest/statement.ts";
import type { ReportEvidence } from "../../src/report/input/manifest_input.ts";
import { manifestPage } from "../../src/report/manifest_page.ts";
import { RENDERER_VERSION } from "../../src/report/renderer_version.ts";
import { loadPaper } from "../../src/reproduce/paper_file.ts";
import type { Curves } from "../../src/results/curves.ts";
import { type Bundle, digestOf, makeBundle, testPlan } from "./fixture.ts";

/** The rules that the page shows. */
export const paper = await loadPaper();

/** What the page of a bundle is made from. */
export async function pageEvidence({ statement, artefacts }: Bundle): Promise<ReportEvidence> {
  const { report: _, data, ...predicate } = statement.predicate;
  if (data === undefined) throw new Error("The manifest says nothing of its data");
  const curves = predicate.runs.filter(isTrained).map((run): [typeof run.key, Curves] => [
    run.key,
    JSON.parse(new TextDecoder().decode(artefacts.get(run.curves.name))),
  ]);
  return {
    predicate: { ...predicate, data },
    plan: await testPlan(),
    paper: paper.content,
    curves: new Map(curves),
  };
}

/** A bundle whose page was replaced, everything made to fit and signed by its maker. */
export async function withPage(bundle: Bundle, page: string, rendererVersion = RENDERER_VERSION): Promise<Bundle> {
  const artefacts = new Map(bundle.artefacts);
  artefacts.set("report.html", new TextEncoder().encode(page));
  const predicate: Predicate = {
    ...bundle.statement.predicate,
    report: { name: "report.html", sha256: sha256(page), rendererVersion },
  };
  const statement = buildStatement({
    artefacts: [...artefacts.keys()].map((name) => ({ name, sha256: digestOf(artefacts, name) })),
    predicate,
  });
  return { ...bundle, artefacts, statement, envelope: await signStatement(statement, bundle.key) };
}

/** The bundle with a copy of the rules beside it, and with its own page. */
export async function makeBundleWithPage(): Promise<Bundle> {
  const bare = await makeBundle();
  const artefacts = new Map(bare.artefacts).set("paper.yaml", new TextEncoder().encode(paper.text));
  const predicate = { ...bare.statement.predicate, paper: { name: "paper.yaml", sha256: paper.digest } };
  const bundle = { ...bare, artefacts, statement: { ...bare.statement, predicate } };
  return await withPage(bundle, manifestPage(await pageEvidence(bundle)));
}
