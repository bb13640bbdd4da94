/** The report page in a real browser: nothing is fetched, nothing complains, nothing sticks out. */
import assert from "node:assert/strict";
import { renderReport } from "../../src/report/page.ts";
import { sampleInput } from "../report/fixture.ts";
import { chromiumTest, Page } from "./chromium.ts";

chromiumTest("the report page fits phones and desks, fetches nothing, and raises no complaint", async (folder) => {
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
});

/** Whether the readout of each place of a chart is visible, in the drawing that the width shows. */
const READOUTS = `[...document.querySelectorAll("#figure-2 svg.NAME .readout")]
  .flatMap((readout, i) => {
    const { display, visibility } = getComputedStyle(readout);
    return display !== "none" && visibility === "visible" ? [i] : [];
  })`;
const RINGS = `[...document.querySelectorAll("#figure-2 svg.NAME .of-claim")]
  .filter((ring) => getComputedStyle(ring).visibility === "visible").length`;

chromiumTest(
  "the report page answers to pointer, touch and keyboard, and rings the points of an unfolded claim",
  async (folder) => {
    const path = `${folder}/report.html`;
    await Deno.writeTextFile(path, renderReport(sampleInput()));
    await using page = await Page.open();
    for (const [width, name] of [[1280, "wide"], [390, "narrow"]] as const) {
      await page.show(`file://${path}`, width);
      const readouts = () => page.evaluate(READOUTS.replace("NAME", name));
      const rings = () => page.evaluate(RINGS.replace("NAME", name));
      const first = await page.evaluate("document.querySelector('figure').getBoundingClientRect().top") as number;
      assert(first < 2 * 844, `at ${width} px the first figure begins after ${first} px`);
      assert.deepEqual(await readouts(), []);

      await page.evaluate("document.querySelector('#figure-2').scrollIntoView()");
      const middle = async (k: number) =>
        await page.evaluate(`(() => {
            const box = document.querySelectorAll("#figure-2 svg.${name} .catch")[${k}].getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
          })()`) as [number, number];
      const [x, y] = await middle(5);
      await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
      assert.deepEqual(await readouts(), [5], `pointer at ${width} px`);
      await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 0, y: 0 });
      assert.deepEqual(await readouts(), []);

      const [touchX, touchY] = await middle(3);
      await page.send("Emulation.setTouchEmulationEnabled", { enabled: true });
      await page.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: touchX, y: touchY }] });
      await page.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      await page.evaluate("new Promise((done) => setTimeout(done, 300))");
      assert.deepEqual(await readouts(), [3], `touch at ${width} px`);
      await page.send("Emulation.setTouchEmulationEnabled", { enabled: false });
      await page.evaluate("document.activeElement.blur()");
      await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 0, y: 0 });

      await page.evaluate("document.querySelector('#figure-2 input').focus()");
      for (const wanted of [0, 1]) {
        for (const type of ["keyDown", "keyUp"]) {
          await page.send("Input.dispatchKeyEvent", {
            type,
            key: "ArrowRight",
            code: "ArrowRight",
            windowsVirtualKeyCode: 39,
          });
        }
        assert.deepEqual(await readouts(), [wanted], `arrow key at ${width} px`);
      }

      assert.equal(await rings(), 0);
      await page.evaluate("document.querySelector('#figure-2 details.claim summary').click()");
      assert.equal(await rings(), 3, `rings at ${width} px`);
    }
    // a link to a claim unfolds it
    await page.evaluate("location.hash = '#claim-scratch-overtakes-constant'");
    await page.evaluate("new Promise((done) => setTimeout(done, 100))");
    const isOpen = "document.getElementById('claim-scratch-overtakes-constant').closest('details').open";
    assert.equal(await page.evaluate(isOpen), true);
    // on paper every claim is unfolded, and no chart answers
    await page.send("Emulation.setEmulatedMedia", { media: "print" });
    const hidden = `[...document.querySelectorAll("details.claim")]
        .filter((claim) => getComputedStyle(claim, "::details-content").contentVisibility !== "visible").length`;
    assert.equal(await page.evaluate(hidden), 0);
    assert.deepEqual(await page.evaluate(READOUTS.replace("NAME", "narrow")), []);
  },
);
