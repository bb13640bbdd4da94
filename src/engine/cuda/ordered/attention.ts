/**
 * Attention of a micro-batch, some (sequence, head) problems at a time: scores are whole squares in a work area, computed
 * again in the backward pass (docs/arithmetic.md §4, §5).
 */
import type { ModelConfig } from "../../../model/config.ts";
import { slice, type View } from "../driver/view.ts";
import { EXTENT, type Operand, type OrderedKernels } from "./kernels.ts";
import type { OrderedMemory } from "./memory.ts";

/** Two areas for score squares. */
export interface AttentionAreas {
  readonly scores: View;
  readonly scoreGradients: View;
}

/** Problems that are worked on at a time. */
interface Group {
  readonly sequence: number;
  readonly sequences: number;
  readonly head: number;
  readonly heads: number;
}

/** The attention of all layers, which share its work areas. */
export class Attention {
  readonly #kernels: OrderedKernels;
  readonly #model: ModelConfig;
  readonly #areas: AttentionAreas;
  readonly #groups: OrderedMemory["scoreProblems"];
  readonly #headSize: number;
  /** 1/√d, rounded to f32 */
  readonly #scale: number;

  constructor(
    kernels: OrderedKernels,
    model: ModelConfig,
    areas: AttentionAreas,
    groups: OrderedMemory["scoreProblems"],
  ) {
    this.#kernels = kernels;
    this.#model = model;
    this.#areas = areas;
    this.#groups = groups;
    this.#headSize = model.hiddenSize / model.heads;
    this.#scale = Math.fround(1 / Math.sqrt(this.#headSize));
  }

  /** qkv (sequences · T, heads, 3, d), rotated → output (sequences · T, heads, d). */
  forward(qkv: View, output: View, sequences: number): void {
    const { sequenceLength: length } = this.#model;
    for (const group of this.#eachGroup(sequences)) {
      this.#computeProbabilities(qkv, group);
      this.#kernels.matmul({
        layout: "nn",
        m: length,
        n: this.#headSize,
        k: length,
        a: this.#square(this.#areas.scores, group),
        b: this.#fused(qkv, 2, group),
        c: this.#plain(output, group),
        problems: [group.sequences, group.heads],
        extent: EXTENT.endsAtRow,
      });
    }
  }

  /** dO, O (sequences · T, heads, d) and qkv → dqkv in the shape of qkv, not yet rotated back. */
  backward(qkv: View, output: View, outputGradient: View, qkvGradient: View, sequences: number): void {
    const { sequenceLength: length, hiddenSize } = this.#model;
    const headSize = this.#headSize;
    for (const group of this.#eachGroup(sequences)) {
      const problems = [group.sequences, group.heads] as const;
      const p = this.#square(this.#areas.scores, group);
      const ds = this.#square(this.#areas.scoreGradients, group);
      const dO = this.#plain(outputGradient, group);
      this.#computeProbabilities(qkv, group);
      // dP = dO · Vᵀ; dV = Pᵀ · dO
      this.#kernels.matmul({
        layout: "nt",
        m: length,
        n: length,
        k: headSize,
        a: dO,
        b: this.#fused(qkv, 2, group),
        c: ds,
        problems,
        extent: EXTENT.lower,
      });
      const narrow = { m: length, n: headSize, k: length, problems } as const;
      this.#kernels.matmul({
        layout: "tn",
        ...narrow,
        a: p,
        b: dO,
        c: this.#fused(qkvGradient, 2, group),
        extent: EXTENT.startsAtRow,
      });
      this.#kernels.causalSoftmaxBackward(
        p.view,
        ds.view,
        this.#plain(output, group).view,
        dO.view,
        { sequences: group.sequences, heads: group.heads, length, headSize, width: hiddenSize },
        this.#scale,
      );
      // dQ = dS · K; dK = dSᵀ · Q
      this.#kernels.matmul({
        layout: "nn",
        ...narrow,
        a: ds,
        b: this.#fused(qkv, 1, group),
        c: this.#fused(qkvGradient, 0, group),
        extent: EXTENT.endsAtRow,
      });
      this.#kernels.matmul({
        layout: "tn",
        ...narrow,
        a: ds,
        b: this.#fused(qkv, 0, group),
        c: this.#fused(qkvGradient, 1, group),
        extent: EXTENT.startsAtRow,
      });
    }
  }

  /** P = softmax(Q · Kᵀ · scale) under the causal mask, into the area of scores. */
  #computeProbabilities(qkv: View, group: Group): void {
    const { sequenceLength: length } = this.#model;
    const scores = this.#square(this.#areas.scores, group);
    this.#kernels.matmul({
      layout: "nt",
      m: length,
      n: length,
      k: this.#headSize,
      a: this.#fused(qkv, 0, group),
      b: this.#fused(qkv, 1, group),
      c: scores,
      problems: [group.sequences, group.heads],
      extent: EXTENT.lower,
    });
    this.#kernels.causalSoftmax(scores.view, group.sequences * group.heads, length, this.#scale);
  }

  *#eachGroup(sequences: number): Generator<Group> {
    const { heads } = this.#model;
    for (let sequence = 0; sequence < sequences; sequence += this.#groups.sequences) {
      for (let head = 0; head < heads; head += this.#groups.heads) {
        yield {
          sequence,
          sequences: Math.min(this.#groups.sequences, sequences - sequence),
          head,
          heads: Math.min(this.#groups.heads, heads - head),
        };
      }
    }
  }

  /** Squares (T, T) of a group, one after the other. */
  #square(area: View, { heads }: Group): Operand {
    const { sequenceLength: length } = this.#model;
    return { view: area, rowStride: length, strides: [heads * length * length, length * length] };
  }

  /** Queries (0), keys (1) or values (2) of a group's heads in (sequences · T, heads, 3, d). */
  #fused(qkv: View, part: 0 | 1 | 2, { sequence, head }: Group): Operand {
    const { sequenceLength: length, hiddenSize } = this.#model;
    const first = sequence * length * 3 * hiddenSize + (3 * head + part) * this.#headSize;
    return {
      view: from(qkv, first),
      rowStride: 3 * hiddenSize,
      strides: [length * 3 * hiddenSize, 3 * this.#headSize],
    };
  }

  /** A group's heads in (sequences · T, heads, d). */
  #plain(rows: View, { sequence, head }: Group): Operand {
    const { sequenceLength: length, hiddenSize } = this.#model;
    const first = sequence * length * hiddenSize + head * this.#headSize;
    return { view: from(rows, first), rowStride: hiddenSize, strides: [length * hiddenSize, this.#headSize] };
  }
}

/** What lies from an element on. */
function from(view: View, element: number): View {
  return slice(view, element * 4, view.bytes - element * 4);
}
