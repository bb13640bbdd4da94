import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import { fileError } from "../../src/files/file_error.ts";

function messageOf(access: string, named: string, path = named): string {
  const flag = access === "all" ? "--allow-all" : `--allow-${access}`;
  const text = `Requires ${access} access to "${named}", run again with the ${flag} flag`;
  const error = fileError(new Deno.errors.NotCapable(text), "open", path);
  assert.ok(error instanceof UserError);
  assert.equal(error.code, "PERMISSION_DENIED");
  return error.message;
}

Deno.test("fileError() names the permission that Deno lacks, with the whole path, and a command that has it", () => {
  const here = Deno.cwd();
  for (
    const [access, path, flag] of [
      ["read", "/mnt/runs/a", "--allow-read=/mnt/runs/a"],
      ["write", "/mnt/runs/a", "--allow-write=/mnt/runs/a"],
      ["write", "./out/a", `--allow-write=${here}/out/a`],
    ] as const
  ) {
    const message = messageOf(access, path);
    assert.match(message, new RegExp(`^Cannot open "${path}", Deno was not given the permission to ${access} there`));
    assert.ok(message.includes(`: add ${flag}: deno run ${flag} `), message);
  }
  assert.match(messageOf("read", "/mnt/it's here"), /deno run '--allow-read=\/mnt\/it'\\''s here' /);
});

Deno.test("fileError() says that nothing less than --allow-all opens the system's folders", () => {
  for (
    const [access, path, folder] of [
      ["all", "/dev/shm/x", "/dev"],
      ["write", "/dev/shm/x", "/dev"],
      ["read", "/proc/self/environ", "/proc"],
      ["all", "/sys/kernel/x", "/sys"],
    ] as const
  ) {
    const message = messageOf(access, path);
    assert.ok(message.startsWith(`Cannot open "${path}", Deno opens ${folder} only with --allow-all: `), message);
    assert.match(message, / elsewhere, or run deno run --allow-all \S*src\/cli\/main\.ts/);
  }
  assert.doesNotMatch(messageOf("read", "/device/x"), /--allow-all/);
});
