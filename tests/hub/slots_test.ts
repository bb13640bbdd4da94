import assert from "node:assert/strict";
import { eachOf, Slots } from "../../src/hub/slots.ts";

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

Deno.test("Slots.with() lets so many through at once, and the next when one ends or fails", async () => {
  const slots = new Slots(2);
  let running = 0, most = 0;
  const work = (fails: boolean) => async () => {
    most = Math.max(most, ++running);
    await turn();
    running--;
    if (fails) throw new Error("on purpose");
  };
  const all = await Promise.allSettled([true, false, true, false, false].map((fails) => slots.with(work(fails))));
  assert.equal(most, 2);
  assert.deepEqual(all.map(({ status }) => status), ["rejected", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
});

Deno.test("eachOf() begins nothing after a failure, stops what is under way, and throws the first", async () => {
  const begun: number[] = [];
  const stopped: number[] = [];
  const failing = eachOf([1, 2, 3, 4, 5], 2, async (item, signal) => {
    begun.push(item);
    await turn();
    if (item === 1) throw new Error("first");
    await turn();
    if (signal.aborted) stopped.push(item);
    signal.throwIfAborted();
  });
  await assert.rejects(failing, { message: "first" });
  assert.deepEqual(begun, [1, 2]);
  assert.deepEqual(stopped, [2]);
});

Deno.test("eachOf() does everything once, and nothing when it is aborted before", async () => {
  const done: number[] = [];
  const work = (item: number) => Promise.resolve(void done.push(item));
  await eachOf([1, 2, 3], 8, work);
  assert.deepEqual(done, [1, 2, 3]);
  await assert.rejects(eachOf([4], 1, work, AbortSignal.abort()), { name: "AbortError" });
  assert.deepEqual(done, [1, 2, 3]);
});
