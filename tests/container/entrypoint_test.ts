/** What the entrypoint's script says of subcommands; tests/process runs it. */
import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };

const script = await Deno.readTextFile(new URL("../../src/container/entrypoint.sh", import.meta.url));

/** Permissions by subcommand, as the script's cases name them. */
const cases = new Map(
  [...script.matchAll(/^ {2}([a-z][a-z |]*)\)\n {4}permissions="([^"]*)"/gm)].flatMap((
    [, names = "", permissions = ""],
  ) => names.split(" | ").map((name) => [name, permissions] as const)),
);

Deno.test("the entrypoint names every subcommand whose task may write", () => {
  assert(cases.size > 10, [...cases.keys()].join(" "));
  for (const [task, { command }] of Object.entries(project.tasks)) {
    const name = / src\/cli\/main\.ts ([a-z]+)/.exec(command)?.[1];
    if (name === undefined || !command.includes(" --allow-write")) continue;
    assert.match(
      cases.get(name) ?? "",
      /--allow-write/,
      `deno task ${task} writes, and the entrypoint does not name "${name}"`,
    );
  }
});
