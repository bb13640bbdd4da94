/** The report page: structure, links, self-containment, escaping, determinism. */
import assert from "node:assert/strict";
import { type DomDocument, type DomElement, parseDocument } from "../../src/report/charts/document.ts";
import { figureGroups } from "../../src/report/sections/figures.ts";
import { renderReport } from "../../src/report/page.ts";
import { runFile } from "../../src/report/markup/anchors.ts";
import { STYLESHEET } from "../../src/report/markup/stylesheet.ts";
import { sha256Bytes } from "../../src/digest/sha256.ts";
import { sampleInput } from "./fixture.ts";

const parsed = new Map<number, DomDocument>();

/** The page of some seeds, parsed once and only read; with changes, parsed anew. */
function page(seeds = 1, change?: Parameters<typeof sampleInput>[1]): DomDocument {
  if (change !== undefined) return parseDocument(renderReport(sampleInput(seeds, change)));
  const known = parsed.get(seeds) ?? parseDocument(renderReport(sampleInput(seeds)));
  parsed.set(seeds, known);
  return known;
}
const all = (document: DomDocument, selector: string): DomElement[] => [...document.querySelectorAll(selector)];

Deno.test("renderReport() gives the same bytes when called again and after another report", () => {
  const first = renderReport(sampleInput(1));
  const other = renderReport(sampleInput(3));
  assert.notEqual(first, other);
  assert.equal(renderReport(sampleInput(1)), first);
  assert.equal(renderReport(sampleInput(3)), other);
});

Deno.test("renderReport() has headings that never skip a level, under one h1", () => {
  const levels = all(page(), "h1, h2, h3, h4, h5, h6").map(({ tagName }) => Number(tagName.slice(1)));
  assert.equal(levels[0], 1);
  assert.equal(levels.filter((level) => level === 1).length, 1);
  levels.slice(1).forEach((level, i) => assert.ok(level <= (levels[i] ?? 0) + 1, `h${levels[i]} before h${level}`));
  assert.ok(levels.includes(4));
});

Deno.test("renderReport() has a language, landmarks and a skip link that leads to the main content", () => {
  const document = page();
  assert.equal(document.documentElement.getAttribute("lang"), "en");
  for (const landmark of ["header", "nav[aria-label]", "main", "footer"]) {
    assert.equal(all(document, landmark).length, 1, landmark);
  }
  const skip = document.body.children[0];
  assert.equal(skip?.getAttribute("href"), `#${document.querySelector("main")?.id}`);
});

Deno.test("renderReport() captions every table and gives every header cell a scope", () => {
  const document = page(3);
  const tables = all(document, "table");
  assert.ok(tables.length > 12);
  for (const table of tables) {
    assert.ok(table.querySelector("caption")?.textContent.trim(), table.outerHTML.slice(0, 99));
  }
  for (const cell of all(document, "th")) assert.match(cell.getAttribute("scope") ?? "", /^(col|row)$/);
  for (const box of all(document, ".scroll")) {
    assert.equal(box.getAttribute("tabindex"), "0");
    const name = document.getElementById(box.getAttribute("aria-labelledby") ?? "");
    assert.equal(name?.tagName, "CAPTION");
  }
});

Deno.test("renderReport() has unique ids, and every link inside the page resolves", () => {
  const document = page(3);
  const ids = all(document, "[id]").map(({ id }) => id);
  assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
  const known = new Set(ids);
  const targets = all(document, "a[href]").map((link) => link.getAttribute("href") ?? "").filter((href) =>
    href.startsWith("#")
  );
  assert.ok(targets.some((href) => href.startsWith("#run-")));
  assert.deepEqual(targets.filter((href) => !known.has(href.slice(1))), []);
  for (const attribute of ["aria-labelledby", "aria-describedby"]) {
    for (const element of all(document, `[${attribute}]`)) {
      assert.ok(known.has(element.getAttribute(attribute) ?? ""), element.outerHTML.slice(0, 120));
    }
  }
  for (const [, reference] of renderReport(sampleInput(3)).matchAll(/url\(#([^)]+)\)/g)) {
    assert.ok(known.has(reference ?? ""), reference);
  }
});

Deno.test("renderReport() links evidence to the run's row and to its files, percent-encoded", () => {
  const document = page();
  const claim = document.getElementById("claim-warmup-length-no-downstream-difference");
  const links = [...claim?.querySelectorAll(".evidence a") ?? []].map((link) => link.getAttribute("href") ?? "");
  assert.equal(links.length, 9); // three runs, each: row, curves, journal
  assert.ok(links.includes("runs/warmup-length_0.5%25_seed-0/curves.json"));
  assert.ok(links.includes("runs/warmup-length_0.5%25_seed-0/journal.jsonl"));
  const row = document.getElementById(links[0]?.slice(1) ?? "");
  assert.equal(row?.tagName, "TR");
  assert.match(row?.textContent ?? "", /warmup-length_0%_seed-0/);
});

Deno.test("renderReport() names a run without a link when the table of runs has no such row", () => {
  const document = page(1, { runs: [] });
  assert.deepEqual(all(document, 'a[href^="#run-"]'), []);
  const claim = document.getElementById("claim-pile-loss-peak");
  assert.match(claim?.textContent ?? "", /warmup-length\/0%, seed 0/);
  assert.equal(claim?.querySelector(".evidence a"), null);
});

Deno.test("renderReport() refers to nothing outside the file but by links, and runs no script", () => {
  const text = renderReport(sampleInput(3));
  const document = parseDocument(text);
  assert.deepEqual(all(document, "script, link, img, iframe, object, embed, base, form, use, image"), []);
  assert.deepEqual(all(document, "[src], [srcset], [style], [onload], [onclick]"), []);
  assert.doesNotMatch(STYLESHEET, /url\(|@import|@font-face/);
  const addresses = [...text.matchAll(/https?:[^"\s<]*/g)].map(([address]) => address);
  assert.deepEqual(addresses, ["https://arxiv.org/abs/2308.04014v2"]);
});

Deno.test("renderReport() allows its own stylesheet by digest and nothing else", () => {
  const document = page();
  const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute("content") ?? "";
  assert.match(policy, /^default-src 'none';/);
  const style = document.querySelector("style")?.textContent ?? "";
  const digest = btoa(String.fromCharCode(...sha256Bytes(new TextEncoder().encode(style))));
  assert.ok(policy.includes(`style-src 'sha256-${digest}'`));
});

Deno.test("renderReport() escapes hostile labels everywhere", () => {
  const hostile = `"><script>alert('x')</script>&<img src=x onerror=y>`;
  const base = sampleInput(1);
  const text = renderReport({
    ...base,
    arms: base.arms.map((arm) => ({ ...arm, arm: `${arm.arm}${hostile}`, label: hostile })),
    schedules: base.schedules.map((schedule) => ({ ...schedule, arm: hostile })),
    verdicts: base.verdicts.map((verdict) => ({
      ...verdict,
      id: hostile,
      title: hostile,
      statement: hostile,
      confidence: hostile,
      section: hostile,
      figure: hostile,
      rule: hostile,
      reason: hostile,
      numbers: [{ name: hostile, value: hostile }],
      evidence: [{ label: hostile, runKey: hostile, step: 1, tokens: 1, value: hostile }],
    })).slice(0, 1),
    comparisons: base.comparisons.map((row) => ({
      ...row,
      name: hostile,
      paper: hostile,
      ours: hostile,
      source: hostile,
      reason: hostile,
    })),
    runs: base.runs.map((run) => ({ ...run, label: hostile, status: hostile, journalRoot: hostile })),
    environment: [{ name: hostile, value: hostile }],
    digests: [{ name: hostile, value: hostile }],
    warnings: [hostile],
    limits: [hostile],
    scale: { ...base.scale, name: hostile, tokenUnit: hostile, upstreamName: hostile, engine: hostile },
    paper: { ...base.paper, title: hostile, arxiv: hostile, model: hostile },
  });
  assert.doesNotMatch(text, /<script|<img/i);
  const document = parseDocument(text);
  assert.deepEqual(all(document, "script, img, [onerror]"), []);
  assert.equal(document.querySelector("h1")?.textContent, hostile);
  const drawn = all(document, "svg.wide text").map(({ textContent }) => textContent);
  assert.ok(drawn.includes(`1x${hostile}`));
});

Deno.test("renderReport() draws every figure of the paper twice, for wide and narrow screens, named and described", () => {
  const document = page();
  const definitions = figureGroups(sampleInput().experiments).flatMap(({ figures }) => figures);
  assert.deepEqual([...new Set(definitions.flatMap(({ paperFigure }) => paperFigure ?? []))], [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
  ]);
  assert.equal(all(document, "figure").length, 12);
  for (const { id } of definitions) {
    const figure = document.getElementById(id);
    const drawings = [...figure?.querySelectorAll('svg[role="img"]') ?? []];
    assert.equal(drawings.length, 2, id);
    for (const drawing of drawings) {
      assert.ok(drawing.querySelector("title")?.textContent);
      assert.match(drawing.querySelector("desc")?.textContent ?? "", /\d/);
      assert.match(drawing.getAttribute("viewBox") ?? "", /^0 0 \d+ \d+$/);
      assert.equal(drawing.hasAttribute("width"), false);
      assert.doesNotMatch(drawing.outerHTML, /NaN|undefined|Infinity/);
    }
    assert.ok(figure?.querySelector(".legend li"));
    assert.ok(figure?.querySelector("details table tbody td"));
  }
});

Deno.test("renderReport() leaves a figure out with a sentence when its experiment was not planned", () => {
  const base = sampleInput(1);
  const document = page(1, { arms: base.arms.filter(({ experiment }) => experiment === "max-learning-rate") });
  assert.equal(all(document, "figure").length, 4);
  const missing = document.getElementById("figure-5")?.textContent ?? "";
  assert.match(missing, /Figure 5.*left out.*no evaluated run of the experiment “same-data”/s);
  assert.match(document.getElementById("figure-2")?.textContent ?? "", /Without “from-scratch”/);
});

Deno.test("renderReport() stands on its own when there is nothing to show", () => {
  const document = page(1, {
    arms: [],
    schedules: [],
    verdicts: [],
    comparisons: [],
    rulesVersion: 1,
    openPoints: [],
    runs: [],
    environment: [],
    digests: [],
    limits: [],
    estimates: [],
    corpora: [],
    scale: { ...sampleInput().scale, criteria: [] },
  });
  assert.equal(all(document, "figure").length, 0);
  assert.equal(all(document, "table").length, 0);
  assert.equal(all(document, "h2").length, 8);
  assert.equal(all(document, ".left-out").length, 19);
});

Deno.test("renderReport() counts the verdicts and says each in words", () => {
  const document = page();
  const counts = (of: DomDocument) =>
    all(of, ".tally li").map(({ textContent }) => textContent.replace(/\s+/g, " ").trim());
  assert.deepEqual(counts(document), ["2 ✓ reproduced", "1 ✕ contradicted", "1 ? inconclusive", "1 ≠ not comparable"]);
  assert.deepEqual(
    all(document, "table .badge").map(({ textContent }) => textContent.replace(/^\S+ /, "")),
    ["reproduced", "reproduced", "inconclusive", "contradicted", "not comparable"],
  );
  const [first, ...others] = sampleInput().verdicts;
  assert(first !== undefined);
  const words = "same direction at this scale";
  assert.deepEqual(counts(page(1, { verdicts: [{ ...first, words }, ...others] })).slice(0, 2), [
    `1 ✓ ${words}`,
    "1 ✓ reproduced",
  ]);
});

Deno.test("renderReport() shows figures before everything else, with every claim folded once under the one it is about", () => {
  const document = page();
  assert.equal(all(document, "h2")[0]?.textContent, "Figures");
  const claims = all(document, "details.claim");
  assert.equal(claims.length, sampleInput().verdicts.length);
  const figureOf = (id: string) => document.getElementById(`claim-${id}`)?.closest("figure")?.id;
  assert.deepEqual(sampleInput().verdicts.map(({ id }) => figureOf(id)), [
    "figure-1-downstream",
    "figure-2",
    "figure-2",
    "figure-2",
    "figure-1-downstream",
  ]);
  for (const claim of claims) assert.equal(claim.hasAttribute("open"), false);
  const links = all(document, "#claims-table ~ tbody a[href]").map((link) => link.getAttribute("href"));
  assert.deepEqual(links, sampleInput().verdicts.map(({ id }) => `#claim-${id}`));
});

Deno.test("renderReport() keeps a claim that no figure shows in the section of claims", () => {
  const [verdict] = sampleInput().verdicts;
  assert(verdict !== undefined);
  const document = page(1, { verdicts: [{ ...verdict, id: "other", figure: "", evidence: [] }] });
  const claim = document.getElementById("claim-other");
  assert.equal(claim?.closest("figure"), null);
  assert.match(claim?.closest("section")?.textContent ?? "", /Claims that no figure here shows/);
});

Deno.test("renderReport() says under a figure what cannot be seen there, and why", () => {
  const said = page().querySelector("#figure-1-downstream .cannot")?.textContent.replace(/\s+/g, " ") ?? "";
  assert.match(said, /“The highest Pile loss over the warm-up lengths is about 2.5”: All comparisons hold/);
  assert.equal(page().querySelector("#figure-2 .cannot"), null);
});

Deno.test("renderReport() gives estimates as numbers with intervals and without a verdict", () => {
  const table = page(1).getElementById("estimates-max-learning-rate")?.closest("table");
  const cells = [...table?.querySelectorAll("tbody tr > *") ?? []].map(({ textContent }) => textContent.trim());
  assert.deepEqual(cells, [
    "Depth of the stability gap",
    "depth of 1x",
    "12.34\u00a0%",
    "−1\u00a0% to 20\u00a0% over 33 documents",
    "highest upstream loss above the constant arm",
  ]);
  assert.equal(table?.querySelector(".badge"), null);
});

Deno.test("renderReport() shows whether the scale is a fair proxy, and what it was trained on", () => {
  const criteria = page().getElementById("criteria-table")?.closest("table")?.textContent.replace(/\s+/g, " ") ?? "";
  assert.match(criteria, /1 of 2 ratios within their bounds/);
  assert.match(criteria, /tokens of pre-training a parameter 22740≥ 74no/);
  const corpora = page().getElementById("corpora-table")?.closest("table")?.textContent ?? "";
  assert.match(corpora, /text of the family “typescript”/);
  assert.match(corpora, /train tokens 2,752,539, share of typescript 0.786/);
});

Deno.test("renderReport() says in numbers how far the scale is from the paper's", () => {
  const text = page().body.textContent.replace(/\s+/g, " ");
  assert.match(
    text,
    /182,848 parameters .* about 2,200 times smaller than the paper’s Pythia-410M, on about 99,000 times/,
  );
  assert.match(text, /one seed gives no band/);
  const whole = sampleInput(3);
  const atPaperScale = page(3, {
    scale: {
      ...whole.scale,
      name: "paper",
      parameters: whole.paper.parameters,
      downstreamHorizonTokens: whole.paper.downstreamHorizonTokens,
    },
  }).body.textContent;
  assert.match(atPaperScale, /the paper’s own size/);
  assert.doesNotMatch(atPaperScale, /one seed gives no band|times smaller/);
});

Deno.test("renderReport() draws a thin line a seed and a strong mean when there are several seeds", () => {
  const lines = (document: DomDocument, width: string) =>
    all(document, `#figure-5 svg.wide g[stroke-width="${width}"] > path`).length;
  const [one, three] = [page(1), page(3)];
  assert.deepEqual([lines(one, "1.1"), lines(one, "2.1")], [0, 4]);
  assert.deepEqual([lines(three, "1.1"), lines(three, "2.1")], [12, 4]);
});

Deno.test("renderReport() keeps a diverged run on the page and says where it ended", () => {
  const base = sampleInput(1);
  const arms = base.arms.map((arm) =>
    arm.experiment === "same-data" && arm.arm === "2x"
      ? {
        ...arm,
        curves: {
          ...arm.curves,
          points: arm.curves.points.map((point) =>
            point.step < 120
              ? point
              : point.step < 140
              ? { ...point, upstream: 800, downstream: 700 }
              : { ...point, upstream: NaN, downstream: Infinity }
          ),
          diverged: { step: 139, loss: "NaN" },
        },
      }
      : arm
  );
  const document = page(1, { arms });
  const figure = document.getElementById("figure-5");
  assert.match(figure?.textContent ?? "", /“2×” diverged at step 139/);
  assert.match(figure?.textContent ?? "", /“2×” leaves the axis at the top; its highest value is 800/);
  for (const svg of all(document, "svg")) assert.doesNotMatch(svg.outerHTML, /NaN|Infinity|e\+/);
});

Deno.test("runFile() refuses labels that would leave the folder of runs", () => {
  assert.equal(runFile("..", "curves.json"), undefined);
  assert.equal(runFile("../x", "curves.json"), undefined);
  assert.equal(runFile("a b#?", "run.json"), "runs/a%20b%23%3F/run.json");
});

Deno.test("renderReport() says of each number of the paper whether it is comparable, and counts those judged equal", () => {
  const document = page();
  const setup = document.getElementById("comparisons-setup")?.closest("table");
  assert.match(setup?.querySelector("caption")?.textContent ?? "", /1 of 1 comparable, 1 of 1 judged equal/);
  assert.match(setup?.querySelector("tbody")?.textContent ?? "", /yes, equal: the same shares at every scale/);
  const text = document.getElementById("comparisons-text")?.closest("table")?.textContent ?? "";
  assert.match(text, /0 of 1 comparable/);
  assert.match(text, /no: nats a BPE token/);
  assert.equal(document.getElementById("comparisons-follow-up"), null);
});

Deno.test("renderReport() lists the paper's open points with the reading that was taken", () => {
  const text = page().getElementById("open-points-table")?.closest("table")?.textContent;
  assert.match(text ?? "", /Adam’s moments reset.*moments start at zero in every run/s);
});

Deno.test("renderReport() says whose models were continued, and what was changed of a scale", () => {
  const { scale } = sampleInput();
  const imported = { importedFrom: "huggingface:EleutherAI/pythia-410m@0123" };
  const change = { ...scale, textIsThePapers: true, pretraining: imported, changes: ["tokens 2000000"] };
  const text = page(1, { scale: change }).querySelector("main")?.textContent ?? "";
  assert.match(text, /Models that others trained are taken as they are \(huggingface:EleutherAI\/pythia-410m@0123\)/);
  assert.match(text, /with changes \(tokens 2000000\)/);
  assert.doesNotMatch(text, /in place of SlimPajama/);
});
