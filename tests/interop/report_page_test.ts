/** The report page in a real browser: nothing is fetched, nothing complains, nothing sticks out. */
import assert from "node:assert/strict";
import { renderReport } from "../../src/report/page.ts";
import { sampleInput } from "../report/fixture.ts";
import { hasChromium, Page } from "./chromium.ts";

const ignore = !(await hasChromium());
if (ignore) console.log("The report page is not looked at: there is no chromium");

Deno.test({
  name: "the report page fits phones and desks, fetches nothing, and raises no complaint",
  ignore,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/report.html`;
      await Deno.writeTextFile(path, renderReport(sampleInput()));
      await using page = await Page.open();
      for (const width of [360, 768, 1280]) {
        for (const dark of [false, true]) {
          await page.show(`file://${path}`, width, dark);
          const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
          assert.equal(await page.evaluate(overflow), 0, `overflows at ${width} px`);
          assert((await page.evaluate("document.querySelectorAll('svg').length") as number) > 10);
          const background = await page.evaluate("getComputedStyle(document.body).backgroundColor") as string;
          const lightness = Number(/\d+/.exec(background)?.[0]);
          assert(dark ? lightness < 80 : lightness > 200, `${background} is no ${dark ? "dark" : "light"} background`);
        }
      }
      const complaints = page.events.filter(({ method }) =>
        method === "Log.entryAdded" || method === "Runtime.exceptionThrown" || method === "Runtime.consoleAPICalled"
      );
      assert.deepEqual(complaints, []);
      const requests = page.events.filter(({ method }) => method === "Network.requestWillBeSent")
        .map(({ params }) => (params?.request as { url: string }).url);
      assert.deepEqual([...new Set(requests)], [`file://${path}`]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
