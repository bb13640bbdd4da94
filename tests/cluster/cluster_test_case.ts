/** Tests on a cluster of their own. Files run at the same time, so that each has ports of its own. */
import assert from "node:assert/strict";
import { withFolder } from "../temporary_folder.ts";
import { Launched, task, trained } from "./launched.ts";
import { SlurmHere, whyNoSlurm } from "./slurm_here.ts";

const noSlurm = whyNoSlurm();

/**
 * A test with a cluster.
 *
 * @param port of the controller's; node daemons take those after it
 * @param missing why it cannot run here, besides Slurm's
 */
export function clusterTest(
  name: string,
  port: number,
  run: (cluster: SlurmHere, folder: string) => Promise<void>,
  missing?: string,
): void {
  const reason = noSlurm ?? missing;
  Deno.test({
    name: name + (reason === undefined ? "" : ` (skipped: ${reason})`),
    ignore: reason !== undefined,
    fn: () =>
      withFolder(async (folder) => {
        await Deno.chmod(folder, 0o755);
        await using cluster = await SlurmHere.start(port);
        try {
          await run(cluster, folder);
        } catch (error) {
          console.error(await new Launched(cluster, folder, []).logs());
          throw error;
        }
      }),
  });
}

/** What one process leaves of the same plan. */
export async function alone(folder: string, choice: readonly string[]): Promise<Map<string, string>> {
  await Deno.mkdir(folder);
  const words = ["reproduce:native", ...choice, "--threads", "1", "--out", `${folder}/out`];
  const { code, stderr } = await task(folder, words);
  assert.equal(code, 0, stderr);
  return await trained(`${folder}/out`);
}
