/** The TensorFlow engine on one of TensorFlow.js's backends. */
import type { BackendName } from "../../src/engine/tensorflow/backend_names.ts";
import { createTensorFlowEngine } from "../../src/engine/tensorflow/engine.ts";
import { UserError } from "../../src/errors.ts";
import type { TrainingTask } from "../training_task.ts";
import { enginePeer } from "./engine.ts";
import type { Peer, Unavailable } from "./peer.ts";

/**
 * Starts it; unavailable where the packages are not installed, or the backend does not run.
 *
 * @param patient measures also what takes minutes for a step
 */
export async function openTensorFlow(
  task: TrainingTask,
  backend: BackendName,
  patient: boolean,
): Promise<Peer | Unavailable> {
  const name = `rewarm tensorflow, ${backend}`;
  const slow = { name, reason: "without a GPU a step takes minutes; ask for it with --backends" };
  if (backend === "cpu" && !patient) return slow;
  try {
    const engine = await createTensorFlowEngine({ backend });
    const { device, TensorFlow, "@tensorflow/tfjs": tfjs } = engine.description;
    const facts = [TensorFlow === undefined ? `tfjs ${tfjs}` : `TensorFlow ${TensorFlow}`];
    if (engine.machine?.gpu !== "none" || backend === "webgpu") facts.push(`${device}`);
    if (backend === "webgpu" && engine.machine?.gpu === "none" && !patient) return slow;
    const threads = backend === "tfjs-node" ? navigator.hardwareConcurrency : 1;
    return await enginePeer(engine, task, `${name} (${facts.join("; ")})`, threads);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, reason: error.message };
  }
}
