/** A whole plan on a real Slurm. */
import assert from "node:assert/strict";
import { alone, clusterTest } from "./cluster_test_case.ts";
import { concluded, Launched, task, trained } from "./launched.ts";

clusterTest(
  "a plan launched on Slurm ends with the bytes of a single process, and launching it twice submits nothing twice",
  17_820,
  async (cluster, folder) => {
    const choice = ["--scale", "smoke"];
    const expected = alone(`${folder}/alone`, choice);
    const { code, stderr } = await task(folder, ["keygen", "--out", `${folder}/key.pem`]);
    assert.equal(code, 0, stderr);
    const launched = new Launched(cluster, folder, choice);
    const options = ["--time=10", "--gpus=1"];
    const own = ["--max-parallel", "2", "--conclude", "--key", `${folder}/key.pem`];
    assert.match(await launched.launch(own, options), /nothing was submitted/);
    assert.equal((await cluster.queue()).size, 0);
    const first = await launched.launch([...own, "--submit"], options);
    const [, count] = /(\d+) jobs submitted, 0 were in the queue, 0 are done/.exec(first) ?? [];
    assert(Number(count) > 10, first);
    assert.match(await launched.launch([...own, "--submit"], options), /0 jobs submitted/);
    const script = await cluster.need("bash", [`${launched.output}/launch/slurm/submit.sh`]);
    assert.doesNotMatch(script, /^submitted/m);
    await launched.ended();
    assert.deepEqual(await trained(launched.output), await expected);
    assert.deepEqual(await concluded(launched.output), await concluded(`${folder}/alone/out`));
    const verified = await task(folder, ["verify", `${launched.output}/manifest.dsse.json`]);
    assert.equal(verified.code, 0, verified.stdout);
    assert.match(
      await launched.launch([...own, "--submit"], options),
      new RegExp(`0 jobs submitted, 0 were in the queue, ${count} are done`),
    );

    // All of it once more, in two shares at the same time; what was right is not submitted again.
    const again = ["--retrain", "all", "2", "--submit"];
    assert.match(await launched.launch(again, options), /2 jobs submitted/);
    await launched.ended();
    assert.match(await launched.launch(again, options), /0 jobs submitted, 0 were in the queue/);
  },
);
