/** The whole report: one HTML file that opens offline, with no script and nothing fetched. */
import { sha256Bytes } from "../digest/sha256.ts";
import { Anchors } from "./markup/anchors.ts";
import { abstractSection } from "./sections/abstract_section.ts";
import { placeClaims } from "./sections/claim_places.ts";
import { claimsSection } from "./sections/claims_section.ts";
import { comparisonsSection } from "./sections/comparisons_section.ts";
import { estimatesSection } from "./sections/estimates_section.ts";
import { figureSection } from "./sections/figure_section.ts";
import { figureGroups } from "./sections/figures.ts";
import type { ReportInput } from "./input/input.ts";
import { html, Markup } from "./markup/markup.ts";
import { openPointsSection } from "./sections/open_points_section.ts";
import { provenanceSection } from "./sections/provenance_section.ts";
import { runsSection } from "./sections/runs_section.ts";
import { scaleSection } from "./sections/scale_section.ts";
import { STYLESHEET } from "./markup/stylesheet.ts";

const CONTENTS = [
  ["figures", "Figures"],
  ["claims", "Claims"],
  ["estimates", "Open questions"],
  ["scale", "Scale and data"],
  ["comparisons", "Paper’s numbers"],
  ["open-points", "Open points"],
  ["runs", "Runs"],
  ["provenance", "Environment"],
  ["verify", "Check it"],
] as const;

/**
 * The report as HTML. Pure: the same input gives the same text, whatever was rendered before.
 *
 * Its content security policy allows nothing but its own stylesheet, by digest.
 */
export function renderReport(input: ReportInput): string {
  const anchors = new Anchors(input.runs);
  const { scale, paper } = input;
  const policy =
    `default-src 'none'; style-src 'sha256-${base64(sha256Bytes(new TextEncoder().encode(STYLESHEET)))}'; ` +
    "base-uri 'none'; form-action 'none'";
  const groups = figureGroups(input.experiments);
  const places = placeClaims(input, groups);
  const contents = CONTENTS.filter(([id]) => id !== "estimates" || input.estimates.length > 0);
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <meta name="generator" content="rewarm">
        <title>rewarm, scale ${scale.name}: “${paper.title}” reproduced</title>
        <style>${new Markup(STYLESHEET)}</style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
    <p class="kicker">rewarm · scale ${scale.name} · arXiv ${paper.arxiv}</p>
    <h1>${paper.title}</h1>
    ${abstractSection(input)}
    <nav aria-label="Contents"><ul>${contents.map(([id, title]) =>
      html`<li><a href="#${id}">${title}</a></li>`
    )}</ul></nav>
        </header>
        <main id="content" tabindex="-1">
    ${figureSection(input, groups, places, anchors)}
    ${claimsSection(input, places, anchors)}
    ${estimatesSection(input)}
    ${scaleSection(input)}
    ${comparisonsSection(input)}
    ${openPointsSection(input)}
    ${runsSection(input, anchors)}
    ${provenanceSection(input)}
        </main>
        <footer>
          <p>Made by rewarm from the runs listed above. This file needs no network and runs no script.</p>
        </footer>
      </body>
    </html>
  `.text;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
