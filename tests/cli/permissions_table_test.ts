import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as {
  tasks: Record<string, { command: string }>;
};
const DOCUMENT = await Deno.readTextFile(new URL("docs/permissions.md", ROOT));

/** Permissions of a command by their names: values, or null for everything. */
function permissionsOf(command: string): Map<string, readonly string[] | null> {
  return new Map(
    [...command.matchAll(/--allow-([a-z]+)(?:=(\S+))?/g)]
      .map(([, name = "", values]) => [name, values === undefined ? null : values.split(",")]),
  );
}

/** A row of the document as a task's command has it. */
function rowOf(name: string, command: string): string[] {
  const permissions = permissionsOf(command);
  const cell = (permission: string) => {
    const values = permissions.get(permission);
    if (values === undefined) return "";
    if (values === null) return "all";
    return values.map((value) => value === '"$INIT_CWD"' ? "where you stand" : `\`${value}\``).join(", ");
  };
  const more = [
    permissions.has("ffi") ? "native code" : "",
    permissions.has("run") ? `programs: ${cell("run")}` : "",
    permissions.has("net") ? `network: ${cell("net")}` : "",
  ];
  return [`\`${name}\``, cell("read"), cell("write"), cell("env"), cell("sys"), more.filter(Boolean).join(", ")];
}

const COMMANDS = Object.entries(tasks).filter(([, { command }]) => /^deno (run|test) /.test(command));
const OF_USERS = COMMANDS.filter(([, { command }]) => command.includes(" src/cli/main.ts "));

Deno.test("docs/permissions.md has every task's permissions as deno.json gives them", () => {
  const rows = DOCUMENT.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.slice(1, -1).split(" | ").map((cell) => cell.trim()));
  assert.deepEqual(rows.sort(), COMMANDS.map(([name, { command }]) => rowOf(name, command)).sort());
});

Deno.test("no task may do everything, write everywhere, or be asked anything that its permissions do not name", () => {
  assert(OF_USERS.length > 15, `${OF_USERS.length} tasks`);
  for (const [name, { command }] of COMMANDS) assert.doesNotMatch(command, / -A\b|--allow-all|--allow-import/, name);
  for (const [name, { command }] of OF_USERS) {
    const permissions = permissionsOf(command);
    for (const permission of ["write", "env", "sys", "net", "run"]) {
      assert.notEqual(permissions.get(permission), null, `${name}: --allow-${permission}`);
    }
    const network = name === "data" ? ["huggingface.co", "*.huggingface.co", "*.hf.co"] : undefined;
    assert.deepEqual(permissions.get("net"), network, name);
    if (network !== undefined) assert(!permissions.get("write")?.includes('"$INIT_CWD"'), name);
  }
});

Deno.test("every task passes on where the user stands, before all other words", () => {
  for (const [name, { command }] of OF_USERS) {
    assert.match(command, / src\/cli\/main\.ts [a-z]+ --from "\$INIT_CWD"( |$)/, name);
  }
});

Deno.test("keys and tokens are given to no task that loads packages with native code of others", () => {
  const tasksWith = (variable: string) =>
    OF_USERS.filter(([, { command }]) => permissionsOf(command).get("env")?.includes(variable)).map(([name]) => name);
  assert.deepEqual(tasksWith("HF_TOKEN"), ["data"]);
  assert.deepEqual(tasksWith("REWARM_KEY"), ["reproduce", "reproduce:native", "conclude", "reproduce:cuda"]);
});
