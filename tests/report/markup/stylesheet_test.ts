/** Colours that people can read, in light and in dark. */
import assert from "node:assert/strict";
import { STYLESHEET } from "../../../src/report/markup/stylesheet.ts";

/** Relative luminance of #rrggbb by WCAG 2.2. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((channel) => channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  return 0.2126 * (r ?? NaN) + 0.7152 * (g ?? NaN) + 0.0722 * (b ?? NaN);
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const [light = "", dark = ""] = STYLESHEET.split("prefers-color-scheme: dark");

for (const [mode, css] of [["light", light], ["dark", dark]] as const) {
  Deno.test(`STYLESHEET text and line colours reach a contrast of 4.5 : 1 in ${mode} mode`, () => {
    const colours = new Map<string, string>();
    for (const [, name = "", value = ""] of css.matchAll(/--([a-z]+): (#[0-9a-f]{6});/g)) {
      if (!colours.has(name)) colours.set(name, value); // the print rules repeat the names later
    }
    const names = [..."ink muted link accent blue red green purple gold grey teal pink good bad open none".split(" ")];
    for (const name of names) {
      for (const ground of ["card", "page"]) {
        const value = contrast(colours.get(name) ?? "", colours.get(ground) ?? "");
        assert.ok(value >= 4.5, `--${name} on --${ground}: ${value.toFixed(2)}`);
      }
    }
  });
}
