import assert from "node:assert/strict";
import fc from "fast-check";
import { leastTime, makespan, type Task, timetable } from "../../src/launch/timetable.ts";

/** Jobs of which each waits for an earlier one or for none. */
const jobs: fc.Arbitrary<Task[]> = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(20)), {
  minLength: 1,
  maxLength: 15,
}).map((drawn) =>
  drawn.map(([duration, parent], index) => ({
    name: `job ${index}`,
    duration,
    ...(parent < index ? { after: `job ${parent}` } : {}),
  }))
);

Deno.test("timetable() starts every job once, after what it waits for, and no two at a time on one machine", () => {
  fc.assert(fc.property(jobs, fc.integer({ min: 1, max: 6 }), (tasks, machines) => {
    const placed = timetable(tasks, machines);
    const byName = new Map(placed.map((place) => [place.name, place]));
    assert.equal(byName.size, tasks.length);
    for (const { name, duration, after } of tasks) {
      const place = byName.get(name);
      assert(place !== undefined && place.end - place.start === duration && place.machine < machines);
      if (after !== undefined) assert(place.start >= (byName.get(after)?.end ?? Infinity));
      for (const other of placed) {
        assert(
          other === place || other.machine !== place.machine || other.end <= place.start || other.start >= place.end,
        );
      }
    }
  }));
});

Deno.test("timetable() takes no less than leastTime(), and less than twice as long (Graham 1969)", () => {
  fc.assert(fc.property(jobs, fc.integer({ min: 1, max: 6 }), (tasks, machines) => {
    const { work, chain, bound } = leastTime(tasks, machines);
    const found = makespan(timetable(tasks, machines));
    assert(found >= bound - 1e-9, `${found} < ${bound}`);
    assert(found <= work + chain * (1 - 1 / machines) + 1e-9, `${found}`);
  }));
});

Deno.test("leastTime() counts that two of five long jobs share one of four machines", () => {
  const tasks = Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, duration: 20 }));
  assert.deepEqual(leastTime(tasks, 4), { work: 25, chain: 20, pair: 40, bound: 40 });
  assert.equal(makespan(timetable(tasks, 4)), 40);
  assert.equal(leastTime(tasks, 5).bound, 20);
});

Deno.test("timetable() names a job that is waited for and not there", () => {
  assert.throws(() => timetable([{ name: "child", duration: 1, after: "parent" }], 1), /"child" waits for "parent"/);
  const circle = [{ name: "a", duration: 1, after: "b" }, { name: "b", duration: 1, after: "a" }];
  assert.throws(() => timetable(circle, 1), /wait for each other/);
});
