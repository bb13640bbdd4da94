/** An experiment of its own whose arms are trained on mixes. */
export const SHIFT = `
name: shift
source: a question of our own
title: Other downstream text
question: What does a stronger shift change?
arms:
${
  ["downstream", "overlap-0", "overlap-50", "strong"].map((corpus) => `
  ${corpus}:
    phase: continuing
    corpus: ${corpus}
    start: { kind: pretrained, step: 143000 }
    schedule: paper
    maxLearningRate: 1
    warmupPercent: 1
    tokens: 50e9
`).join("")
}
`;
