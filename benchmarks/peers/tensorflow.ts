/** The TensorFlow engine on one of TensorFlow.js's backends. */
import type { BackendName } from "../../src/engine/tensorflow/backend_names.ts";
import { createTensorFlowEngine } from "../../src/engine/tensorflow/engine.ts";
import { UserError } from "../../src/errors.ts";
import type { TrainingTask } from "../training_task.ts";
import { enginePeer } from "./engine.ts";
import type { Peer, Unavailable } from "./peer.ts";

/** Starts it; unavailable where the packages are not installed, or the backend does not run. */
export async function openTensorFlow(task: TrainingTask, backend: BackendName): Promise<Peer | Unavailable> {
  const name = `rewarm tensorflow, ${backend}`;
  try {
    const engine = await createTensorFlowEngine({ backend });
    const { device, TensorFlow, "@tensorflow/tfjs": tfjs } = engine.description;
    const facts = [TensorFlow === undefined ? `tfjs ${tfjs}` : `TensorFlow ${TensorFlow}`];
    if (engine.machine?.gpu !== "none" || backend === "webgpu") facts.push(`${device}`);
    const threads = backend === "tfjs-node" ? navigator.hardwareConcurrency : 1;
    return await enginePeer(engine, task, `${name} (${facts.join("; ")})`, threads);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, reason: error.message };
  }
}
