/** What the TensorFlow engine promises, known without starting it. */

/** Part of every run's key. The arithmetic's number changes whenever the operations that a step is made of do. */
export const TENSORFLOW_IDENTITY = { level: "not_guaranteed", arithmetic: "tensorflow-f32/1" } as const;
