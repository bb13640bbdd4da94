import { createTensorFlowEngine } from "../../../../src/engine/tensorflow/engine.ts";
import { engineContract } from "../../contract/engine_contract.ts";

engineContract("tensorflow", () => createTensorFlowEngine({ backend: "wasm" }), { variant: "wasm", tolerance: 3e-5 });
