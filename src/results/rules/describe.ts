/** A rule in words, for people who read verdicts. */
import { formatPaperTokens, shortName } from "../arm_curves.ts";
import { decimal } from "../contrast.ts";
import type { Paper } from "../paper_schema.ts";
import type { PaperPoint, Rule } from "../rule_schema.ts";

function list(runs: readonly string[], last = "and"): string {
  const names = runs.map(shortName);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}

function at(point: PaperPoint): string {
  return point === "end" ? "at the end of the runs" : `at ${formatPaperTokens(point)} tokens of the paper`;
}

/** The rule as one sentence without its final stop. */
export function describeRule(rule: Rule, margins: Paper["margins"]): string {
  const value = (name: string) => margins[name]?.value ?? NaN;
  const share = (name: string) => `${decimal(100 * value(name), 2).replace(/\.?0+$/, "")} %`;
  switch (rule.kind) {
    case "ordered":
      return `${rule.metric} loss ${at(rule.at)} ${rule.direction === "rising" ? "rises" : "falls"} from ` +
        `${list(rule.runs, "to")}, ${
          rule.ties
            ? `a step the wrong way of up to ${share(rule.margin)} allowed`
            : `each by ${share(rule.margin)} or more`
        }`;
    case "spread-within":
      return `${rule.metric} losses of ${list(rule.runs)} ${at(rule.at)} differ by at most ${share(rule.margin)}`;
    case "below":
    case "above":
      return `${rule.metric} loss of ${list(rule.runs)} ${at(rule.at)} is ${rule.kind} that of ` +
        `${shortName(rule.reference)} by ${share(rule.margin)} or more`;
    case "not-below":
      return `${rule.metric} loss of ${list(rule.runs)} ${at(rule.at)} is not below that of ` +
        `${shortName(rule.reference)} by more than ${share(rule.margin)}`;
    case "lowest-until":
      return `${rule.metric} loss of ${shortName(rule.run)} is below those of ${list(rule.others)} by ` +
        `${share(rule.margin)} at some evaluation and nowhere above one by more than that, until ` +
        `${formatPaperTokens(rule.until)} tokens of the paper`;
    case "overtakes":
      return `${rule.metric} loss of ${shortName(rule.run)} is above that of ${shortName(rule.reference)} ` +
        `${at(rule.behindAt)} and below it ${at(rule.aheadAt)}, each by ${share(rule.margin)} or more`;
    case "rises-after-rewarming":
      return `${rule.metric} loss of ${list(rule.runs)} rises above its start by ${
        share(rule.margin)
      } or more within ` +
        `${formatPaperTokens(rule.within)} tokens of the paper`;
    case "spikes":
      return `${rule.metric} loss of ${shortName(rule.run)} rises above both its start and ` +
        `${shortName(rule.reference)} by ${share(rule.margin)} or more within ${formatPaperTokens(rule.within)} ` +
        "tokens of the paper";
    case "does-not-recover":
      return `${rule.metric} loss of ${list(rule.runs)} ${at(rule.at)} is above its start by ${
        share(rule.margin)
      } or more`;
    case "falls":
      return `${rule.metric} loss of ${shortName(rule.run)} falls by ${share(rule.margin)} or more from ` +
        `${formatPaperTokens(rule.through[0] ?? NaN)} to ${
          formatPaperTokens(rule.through.at(-1) ?? NaN)
        } tokens of the ` +
        `paper and rises by no more than that between ${rule.through.slice(1, -1).map(formatPaperTokens).join(", ")}`;
    case "linear":
      return `downstream over upstream perplexity of ${list(rule.runs)} until ${
        formatPaperTokens(rule.until)
      } tokens of ` +
        `the paper is a rising line with R² of ${value(rule.line)} or more (${value(rule.noLine)} or less: no line)`;
    case "peak-about":
      return `highest ${rule.metric} loss of ${list(rule.runs)} is ${rule.value} nats, within ${value(rule.margin)}`;
  }
}
