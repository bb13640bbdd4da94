/** The page's style: system fonts, light and dark, from 320 pixels to a wide screen, and paper. */
import { MAX_CLAIMS, MAX_SPOTS } from "./limits.ts";

/** Colours that charts and text share. Text colours keep a contrast of 4.5 : 1 on `--card` and `--page`. */
const LIGHT = `
  --page: #f7f5f1; --card: #ffffff; --ink: #1e2126; --muted: #5c626b; --rule: #e2ded6; --link: #0b5cad;
  --accent: #b0431a; --blue: #0a63ad; --red: #c03a1e; --green: #0b7a5b; --purple: #8a3c8f; --gold: #8a6100;
  --grey: #5c626b; --teal: #0a6e80; --pink: #b0306a; --good: #0b6b50; --bad: #a8321a; --open: #7a5600; --none: #5c626b; --tint: 7%;`;

const DARK = `
  --page: #131519; --card: #1b1e23; --ink: #e8e6e1; --muted: #a3a8b1; --rule: #33373f; --link: #7db8f5;
  --accent: #ff9a66; --blue: #62b0f4; --red: #ff8a70; --green: #45cda4; --purple: #dc94e0; --gold: #e3b64a;
  --grey: #b3b8c0; --teal: #4fc8dc; --pink: #ff8fb8; --good: #52d3ab; --bad: #ff8f76; --open: #e8bd55; --none: #a3a8b1; --tint: 13%;`;

/** Rules for places of charts and for claims by their numbers: what radio buttons and unfolded claims bring to show. */
const NUMBERED = [
  Array.from(
    { length: MAX_SPOTS },
    (_, k) => `.plots:has(.steps > :nth-child(${k + 2}):checked) .spot:nth-child(${k + 1}) .readout`,
  ).join(",\n") +
  " { visibility: visible; }",
  Array.from({ length: MAX_CLAIMS }, (_, k) => `.group:has(.claim.c${k}[open]) .of-claim.c${k}`).join(",\n") +
  " { visibility: visible; }",
].join("\n");

/** The content of the page's one style element. */
export const STYLESHEET = `
:root {${LIGHT}
  color-scheme: light dark;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "Liberation Serif", serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) { :root {${DARK} } }
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 var(--sans); }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header { padding-top: clamp(1.25rem, 3vw, 2.25rem); }
main:focus { outline: none; }
footer { padding-top: 2rem; padding-bottom: 3rem; color: var(--muted); font-size: .875rem; }
h1, h2 { font-family: var(--serif); font-weight: 600; line-height: 1.15; text-wrap: balance; }
h1 { font-size: clamp(1.45rem, 1.1rem + 1.6vw, 2.2rem); max-width: 30em; margin: .2rem 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.75rem; margin: 3.5rem 0 1rem; padding-top: 1.25rem; border-top: 1px solid var(--rule); }
h2.first { margin-top: 1.5rem; }
h2.small { font: 600 1rem/1.3 var(--sans); margin: 0 0 .4rem; padding: 0; border: 0; }
h3 { font-size: 1.15rem; line-height: 1.3; margin: 2.25rem 0 .3rem; }
h4 { font-size: 1rem; line-height: 1.3; margin: 0; }
p, ul, ol { margin: 0 0 .8rem; }
main p { max-width: 46rem; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: from-font; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
code, pre { font-family: var(--mono); font-size: .875em; }
code { overflow-wrap: anywhere; }
:target { scroll-margin-top: 1rem; }
tr:target, figure:target { outline: 2px solid var(--accent); outline-offset: -1px; }
.kicker { color: var(--accent); font-weight: 600; font-size: .875rem; letter-spacing: .02em; margin: 0; }
.lead { font-size: 1.05rem; color: var(--muted); max-width: 52rem; }
.quiet { color: var(--muted); font-weight: 400; font-size: .875rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -999rem; top: 0; padding: .6rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { left: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1.25rem 0 0; padding: 0; }
nav a { display: inline-block; padding: .3rem 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: .625rem; padding: 1.25rem; }
.card > :last-child { margin-bottom: 0; }
.card h3 { margin: 0 0 .5rem; }
.card ul { padding-left: 1.1rem; }
.card li + li { margin-top: .4rem; }
.warning { border-color: var(--open); margin-bottom: 1.25rem; }
.left-out { color: var(--muted); border: 1px dashed var(--rule); border-radius: .625rem; padding: 1rem 1.25rem; margin: 0; }

.of { margin-bottom: .35rem; }
.tally { display: flex; flex-wrap: wrap; gap: .45rem 1.25rem; list-style: none; padding: 0; margin: 0 0 .9rem; }
.tally li { display: inline-flex; align-items: center; gap: .4rem; }
.count { font: 600 1.5rem/1.1 var(--serif); }
.badge { display: inline-flex; gap: .4em; align-items: baseline; border: 1.5px solid currentColor; border-radius: 2em;
  padding: .05em .7em .1em .6em; font-weight: 600; font-size: .82rem; line-height: 1.5; }
.badge.reproduced { color: var(--good); }
.badge.contradicted { color: var(--bad); border-radius: 0; }
.badge.inconclusive { color: var(--open); border-style: dashed; border-radius: .5em; }
.badge.not-comparable { color: var(--none); border-style: dotted; border-radius: .2em; }
.badge.reproduced, .badge.contradicted { background: color-mix(in srgb, currentColor var(--tint), transparent); }

.scroll { position: relative; container-type: inline-size; overflow-x: auto; margin: 0 0 1.25rem; background: var(--card); border: 1px solid var(--rule); border-radius: .625rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; line-height: 1.45; }
caption { text-align: left; padding: .8rem 1rem; color: var(--muted); font-size: .875rem; }
.scroll caption span { display: block; position: sticky; left: 1rem; width: fit-content; max-width: calc(100vw - 5.5rem); max-width: calc(100cqw - 2rem); }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-top: 1px solid var(--rule); font-weight: 400; }
th:first-child, td:first-child { padding-left: 1rem; }
thead th { font-weight: 600; font-size: .82rem; white-space: nowrap; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.digest { white-space: nowrap; font-size: .78rem; }
.prose td:nth-child(4) { min-width: 16rem; }
.prose th:first-child { min-width: 11rem; }
.prose td:nth-child(2), .prose td:nth-child(3) { min-width: 9rem; }
.facts { container-type: normal; width: fit-content; min-width: min(100%, 34rem); max-width: 100%; }
.facts tbody th { color: var(--muted); white-space: nowrap; }
#runs-table ~ tbody th, #runs-table ~ tbody td { white-space: nowrap; }

.claims td:nth-child(n), .claims th:nth-child(n), .estimates td:nth-child(n) { min-width: 8rem; }
.claims td:nth-child(2) { min-width: 11rem; }
.claims td:nth-child(3), .estimates td:nth-child(5) { min-width: 16rem; }
.folded-claims { margin: .75rem 0 .25rem; border-top: 1px solid var(--rule); }
.claim { border-bottom: 1px solid var(--rule); margin: 0 !important; }
.claim > summary { color: var(--ink); font-size: .9rem; padding: .45rem 0; width: auto; line-height: 1.5; }
.claim > summary .badge { font-size: .76rem; margin-right: .25rem; }
.claim .inside { padding: .1rem 0 .6rem; font-size: .9rem; scroll-margin-top: 6rem; }
.claim .inside p { margin-bottom: .4rem; }
.claim .inside:target { outline: 2px solid var(--accent); outline-offset: 3px; }
.cannot { font-size: .875rem; border-left: 3px dotted var(--none); padding-left: .75rem; margin: .6rem 0; color: var(--muted); }
.cannot p, .cannot ul { margin: 0; }
.cannot ul { padding-left: 1.1rem; }
.rule .quiet { display: inline-block; margin-right: .3em; }
.numbers { margin: .2rem 0 .5rem; font-size: .85rem; }
.numbers div { display: flex; justify-content: space-between; gap: 1.5rem; padding: .2rem 0; }
.numbers div + div { border-top: 1px solid var(--rule); }
.numbers dt { color: var(--muted); min-width: 0; }
.numbers dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
.evidence { padding-left: 1.1rem; margin: .4rem 0 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--link); font-size: .875rem; padding: .25rem 0; width: fit-content; }

.figures { display: grid; align-items: start; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); margin-top: 1rem; }
figure { margin: 0; min-width: 0; }
figure .note { font-size: .875rem; color: var(--muted); margin: .5rem 0; }
figure details { margin-top: .25rem; }
figure .scroll { max-height: 22rem; overflow: auto; margin: .5rem 0; }
figure .scroll table { font-size: .82rem; }
.number .quiet { font-size: inherit; }
.evidence li + li { margin-top: .4rem; }
figcaption p { margin: .1rem 0 .6rem; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1rem; list-style: none; padding: 0 !important; margin: 0 0 .6rem; font-size: .875rem; }
.legend li { display: inline-flex; align-items: center; gap: .4rem; margin: 0 !important; }
.plot { display: block; width: 100%; height: auto; overflow: hidden; font-family: var(--sans); }
.plot text { white-space: pre; }
.plot.wide { display: none; }
.plots { position: relative; }
.whole { grid-column: 1 / -1; }
.panels { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
h5 { font-size: .95rem; margin: .25rem 0 .35rem; }
.steps { position: absolute; left: 0; top: 0; width: 1px; height: 1px; overflow: hidden; opacity: 0; }
.plots:has(.steps > :focus-visible) .plot { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.catch { fill: transparent; pointer-events: all; }
.spot { outline: none; cursor: crosshair; }
a.spot { cursor: pointer; }
a.spot:focus-visible .catch { stroke: var(--accent); stroke-width: 2; }
.readout { visibility: hidden; pointer-events: none; }
.readout path { stroke: var(--muted); fill: none; }
.readout circle { stroke: var(--card); stroke-width: 1.5; }
.readout .box { fill: var(--card); stroke: var(--muted); fill-opacity: .96; }
.readout text { fill: var(--ink); stroke: none; font-size: .96em; }
.readout .title { font-weight: 600; }
.of-claim { visibility: hidden; fill: none; stroke: var(--accent); stroke-width: 2.5; pointer-events: none; }
${NUMBERED}
.spot:is(:hover, :focus) .readout { visibility: visible; }
.plots .spots:hover .spot:not(:hover) .readout { visibility: hidden !important; }
.swatch { flex: none; overflow: visible; }
.swatch path { stroke: currentColor; stroke-width: 2.1; fill: none; }
.swatch polygon, .swatch circle { fill: currentColor; }
.swatch.blue { color: var(--blue); } .swatch.red { color: var(--red); } .swatch.green { color: var(--green); }
.swatch.purple { color: var(--purple); } .swatch.gold { color: var(--gold); } .swatch.grey { color: var(--grey); }
.swatch.teal { color: var(--teal); } .swatch.pink { color: var(--pink); }
.commands { padding-left: 1.2rem; }
.commands p { margin-bottom: .3rem; }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .7rem .9rem; margin: 0 0 1rem; }
pre code { overflow-wrap: normal; }

@media (min-width: 36rem) {
  .plot.wide { display: block; max-width: 40rem; }
  .plot.narrow { display: none; }
}
@media (min-width: 60rem) {
  .figures, .panels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (max-width: 47.99rem) {
  .card { padding-left: .9rem; padding-right: .9rem; }
  .legend { gap: .1rem .8rem; }
}
@media print {
  :root {${LIGHT} --page: #ffffff; color-scheme: light; }
  html { font-size: 10pt; }
  nav, .skip, .readout, .of-claim, .steps, figure details:not(.claim):not(.inside *),
  details:has(> .evidence) { display: none !important; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  details > summary { list-style: none; color: var(--ink); }
  .claim .inside { font-size: 8.5pt; }
  h2, h3, h4 { break-after: avoid; }
  tr, .plots, figcaption, .cannot, .folded-claims .inside > p { break-inside: avoid; }
  figcaption, .legend, .claim > summary { break-after: avoid; }
  .plot.wide { display: none; }
  .plot.narrow { display: block; }
  .scroll, figure .scroll { overflow: visible; max-height: none; }
  .scroll table, .scroll thead th { font-size: 7pt; }
  .scroll table th, .scroll table td, .scroll .digest, #runs-table ~ tbody th, #runs-table ~ tbody td { white-space: normal;
    min-width: 0; padding: .15rem .3rem; }
  .scroll .digest, .scroll tbody th { overflow-wrap: anywhere; }
  .scroll .digest { padding: 0; font-size: 6pt; }
  .scroll table tbody th { min-width: 9em; }
  .scroll.prose td:nth-child(n) { min-width: 0; }
  #runs-table ~ * :is(th, td):is(:nth-child(8), :nth-child(9)) { display: none; }
  .figures, .panels { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .6rem; }
  figure.card { padding: .7rem; }
  h2 { margin-top: 1.5rem; }
  a { color: inherit; }
}
`;
