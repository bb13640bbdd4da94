/** Event files read by TensorBoard's own reader, where `python3` has it. */
import assert from "node:assert/strict";
import { eventFile, type ScalarEvent } from "../../src/formats/tensorboard/event_file.ts";
import { withFolder } from "../temporary_folder.ts";

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

async function python(...args: string[]): Promise<Deno.CommandOutput | undefined> {
  return await new Deno.Command("python3", { args }).output().catch(() => undefined);
}

const hasTensorboard = (await python("-c", "import tensorboard"))?.success === true;

Deno.test({
  name: `TensorBoard reads what eventFile() writes${hasTensorboard ? "" : " (python3 has no tensorboard here)"}`,
  ignore: !hasTensorboard,
  fn: () =>
    withFolder(async (folder) => {
      const steps = Array.from({ length: 300 }, (_, step) => step);
      const events: ScalarEvent[] = steps.flatMap((step) => [
        { step, tag: "train/loss", value: Math.fround(5 / (step + 1)) },
        { step, tag: "validation/upstream", value: step % 7 },
      ]);
      await Deno.writeFile(`${folder}/events.out.tfevents.0.rewarm`, eventFile(events));
      const output = await python("-c", READ, folder);
      assert.ok(output?.success, new TextDecoder().decode(output?.stderr));
      const found: Record<string, [number, number][]> = JSON.parse(new TextDecoder().decode(output.stdout));
      for (const tag of ["train/loss", "validation/upstream"]) {
        const expected = events.filter((event) => event.tag === tag).map(({ step, value }) => [step, value]);
        assert.deepEqual(found[tag], expected);
      }
    }),
});
