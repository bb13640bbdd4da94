/** Runs that fail, on a real Slurm. */
import assert from "node:assert/strict";
import { clusterTest } from "./cluster_test_case.ts";
import { Launched } from "./launched.ts";

clusterTest(
  "what waits for a run that failed leaves the queue, and a second launch submits it again",
  17_860,
  async (cluster, folder) => {
    const parent = "upstream_pretrain_seed-0";
    const launched = new Launched(cluster, folder, ["--scale", "smoke", "--only", "warmup-length/1%"]);
    await launched.launch([], []);
    // A folder where a file has to be.
    await Deno.mkdir(`${launched.output}/runs/${parent}/journal.jsonl`, { recursive: true });
    await launched.launch(["--submit"], ["--time=10"]);
    const job = await launched.job(parent);
    await launched.ended();
    assert.match(await launched.log(parent, job), /error: .*\[[A-Z_]+\]\n(.*\n)*.*exit code 2\n/);
    assert.equal(await launched.journalLines("warmup-length_1%_seed-0"), 0);
    await Deno.remove(`${launched.output}/runs/${parent}/journal.jsonl`);
    assert.match(await launched.launch(["--submit"], ["--time=10"]), /2 jobs submitted/);
    await launched.ended();
    assert.match(await launched.launch(["--submit"], ["--time=10"]), /2 are done/);
  },
);
