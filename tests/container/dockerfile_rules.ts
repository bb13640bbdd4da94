/** What a Dockerfile of ours may not do. */
import { lastStage, parseDockerfile, type Step } from "./dockerfile.ts";

/** Programs that fetch what nobody pinned. Deno installs from a lockfile. */
const FETCHES = /\b(curl|wget|apt|apt-get|pip3?|npm|npx|git clone|deno upgrade)\b/;
const SECRET = /(password|passwd|secret|token|credential|private_?key|api_?key)/i;

type Rule = (steps: readonly Step[], last: readonly Step[]) => readonly string[];

function texts(steps: readonly Step[], ...keywords: string[]): string[] {
  return steps.filter(({ keyword }) => keywords.includes(keyword)).map(({ text }) => text);
}

/** Rules by what they demand. */
export const RULES: Readonly<Record<string, Rule>> = {
  "every FROM names a digest": (steps) =>
    texts(steps, "FROM").filter((from) => !/^[a-z0-9./_-]+:[\w.-]+@sha256:[0-9a-f]{64}( AS [a-z]+)?$/.test(from)),
  "nothing is called latest": (steps) =>
    texts(steps, "FROM", "ARG", "ENV", "RUN").filter((text) => /\blatest\b/.test(text)),
  "COPY takes from the context and from named stages": (steps) => {
    const stages = texts(steps, "FROM").map((from) => / AS ([a-z]+)$/.exec(from)?.[1]);
    return steps.filter(({ keyword, flags }) =>
      keyword === "COPY" && flags.has("from") && !stages.includes(flags.get("from"))
    )
      .map(({ text }) => text);
  },
  "ADD, which may fetch and unpack, is not used": (steps) => texts(steps, "ADD"),
  "RUN fetches nothing that is not locked": (steps) => texts(steps, "RUN").filter((run) => FETCHES.test(run)),
  "RUN pipes nothing into a shell": (steps) =>
    texts(steps, "RUN").filter((run) => /\|\s*(sudo\s+)?(ba|da|z)?sh\b/.test(run)),
  "deno installs by the lockfile only": (steps) =>
    texts(steps, "RUN").filter((run) => /\bdeno (install|add|cache|update)\b/.test(run) && !/ --frozen\b/.test(run)),
  "an install runs no script, or named ones": (steps) =>
    texts(steps, "RUN").filter((run) => /--allow-scripts(?!=("\$TENSORFLOW"|npm:))/.test(run)),
  "packages are installed before the source is copied": (_, last) => {
    const source = last.findIndex(({ keyword, text }) => keyword === "COPY" && /^\. /.test(text));
    return texts(last.slice(source), "RUN").filter((run) => source >= 0 && /\bdeno install\b/.test(run));
  },
  "the image runs as a user by number, and not as root": (_, last) => {
    const user = texts(last, "USER").at(-1);
    return user !== undefined && /^[1-9]\d*:[1-9]\d*$/.test(user) ? [] : [user ?? "no USER"];
  },
  "nothing runs as root after USER": (_, last) => {
    const user = last.findIndex(({ keyword }) => keyword === "USER");
    return user < 0
      ? []
      : last.slice(user).filter(({ keyword }) => ["RUN", "COPY"].includes(keyword)).map(({ text }) => text);
  },
  "ENTRYPOINT, CMD and HEALTHCHECK start no shell of their own": (_, last) =>
    ["ENTRYPOINT", "CMD", "HEALTHCHECK"].filter((keyword) =>
      last.findLast((step) => step.keyword === keyword)?.words === undefined
    ),
  "no name and no value looks like a secret": (steps) =>
    texts(steps, "ARG", "ENV", "LABEL").filter((text) => SECRET.test(text)),
};

/** Every rule that a Dockerfile breaks, with the text that breaks it. */
export function offences(dockerfile: string): string[] {
  const steps = parseDockerfile(dockerfile);
  const last = lastStage(steps);
  return Object.entries(RULES).flatMap(([rule, check]) => check(steps, last).map((text) => `${rule}: ${text}`));
}
