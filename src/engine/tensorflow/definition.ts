/** The TensorFlow engine in the catalogue. Its packages are loaded when it is started. */
import { compactNumber } from "../../text/numbers.ts";
import { type EngineDefinition, engineFamily, largestNeed } from "../definition.ts";
import { BACKEND_NAMES } from "./backend_names.ts";
import { TENSORFLOW_IDENTITY } from "./identity.ts";

const tensorflow: EngineDefinition<{ readonly backend?: string }> = {
  identity: TENSORFLOW_IDENTITY,
  task: "reproduce:tensorflow",
  memory: async (sessions) => {
    const { ONE_THREAD_LIMITS, planMemory } = await import("./memory.ts");
    return largestNeed(
      sessions,
      (options) => planMemory(options, "wasm", ONE_THREAD_LIMITS).bytes,
      (bytes) => `the engine tensorflow takes ${compactNumber(bytes)}B for tensors on one thread, more on a GPU`,
    );
  },
  start: async ({ backend }, { tell }) => {
    const { createTensorFlowEngine, describeBackend } = await import("./engine.ts");
    const engine = await createTensorFlowEngine({ backend });
    tell(describeBackend(engine));
    return engine;
  },
};

/** See above. */
export const tensorflowFamily = engineFamily({
  options: { backend: { kind: "text", value: "NAME", help: `of tensorflow: ${BACKEND_NAMES.join(", ")}` } },
  engines: { tensorflow },
  // Its packages are another's code, which only the tasks that train with them load.
  doctor: { options: {}, examine: () => Promise.resolve([]) },
});
