import assert from "node:assert/strict";
import { UserError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/files/file_system.ts";
import { claimOutputFolder, lockOutputFolder } from "../../src/files/output_lock.ts";
import { SimulatedDisk } from "../faults/simulated_disk.ts";
import { withFolder } from "../temporary_folder.ts";

const canSpawn = Deno.permissions.querySync({ name: "run" }).state === "granted" ||
  Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state === "granted";

Deno.test("lockOutputFolder() names the first owner when it is asked a second time", () =>
  withFolder(async (outer) => {
    const folder = `${outer}/out`;
    const first = await lockOutputFolder(folder);
    const error = await lockOutputFolder(folder).then(() => undefined, (error) => error);
    assert.ok(error instanceof UserError);
    assert.equal(error.code, "OUTPUT_FOLDER_IN_USE");
    assert.match(error.message, new RegExp(`in use by process ${Deno.pid} on .+, started \\d{4}-\\d\\d-`));
    assert.match(error.message, /--out DIR$/);
    await first.release();
    await using second = await lockOutputFolder(folder);
    assert.equal(second.tookOverFrom, undefined, "released in order");
    await first.release();
    await assert.rejects(lockOutputFolder(folder), { code: "OUTPUT_FOLDER_IN_USE" });
  }));

Deno.test("lockOutputFolder() takes over the lock file of a dead process, and says whose it was", () =>
  withFolder(async (folder) => {
    const owner = { pid: 7, host: "elsewhere", startedAt: "2023-08-08T00:00:00.000Z" };
    Deno.writeTextFileSync(`${folder}/.lock`, JSON.stringify(owner));
    await using lock = await lockOutputFolder(folder);
    assert.deepEqual(lock.tookOverFrom, owner);
  }));

Deno.test("lockOutputFolder() takes over a lock file that is damaged", () =>
  withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/.lock`, '{"pid":');
    await using lock = await lockOutputFolder(folder);
    assert.equal(lock.tookOverFrom, undefined);
  }));

Deno.test("lockOutputFolder() flushes what an earlier process left, and the folder's own name", async () => {
  const disk = new SimulatedDisk(new Map([["/out", undefined]]));
  await disk.files.makeFolder("/out/smoke/runs");
  await (await lockOutputFolder("/out/smoke", disk.files)).release();
  assert.deepEqual([...disk.afterStop("lost").keys()], ["/out", "/out/smoke", "/out/smoke/.lock", "/out/smoke/runs"]);
});

Deno.test("lockOutputFolder() says where a file system has no locks, and what to do without", async () => {
  const { files } = new SimulatedDisk(new Map());
  for (const code of ["ENOLCK", "ENOTSUP", "ENOSYS"]) {
    const tryLock = () => Promise.reject(Object.assign(new Error("no locks"), { code }));
    const refusing: FileSystem = { ...files, open: async (...args) => ({ ...await files.open(...args), tryLock }) };
    await assert.rejects(lockOutputFolder("/out/smoke", refusing), {
      code: "OUTPUT_FOLDER_WITHOUT_LOCKS",
      message: /"\/out\/smoke" has no locks.*--runs/,
    });
  }
});

Deno.test({
  name: "lockOutputFolder() is refused while another process lives, and granted after it is killed",
  ignore: !canSpawn,
  fn: () =>
    withFolder(async (folder) => {
      const module = new URL("../../src/files/output_lock.ts", import.meta.url).href;
      const code = `import { lockOutputFolder } from ${JSON.stringify(module)};
        await lockOutputFolder(${JSON.stringify(folder)});
        console.log("locked");
        setInterval(() => {}, 1000);`;
      const config = new URL("../../deno.json", import.meta.url).pathname;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-check", "--allow-all", `--config=${config}`, "-"],
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(code));
      await writer.close();
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      assert.equal(new TextDecoder().decode(value), "locked\n");
      await assert.rejects(lockOutputFolder(folder), {
        code: "OUTPUT_FOLDER_IN_USE",
        message: new RegExp(`process ${child.pid} on `),
      });
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      await using lock = await lockOutputFolder(folder);
      assert.equal(lock.tookOverFrom?.pid, child.pid);
    }),
});

Deno.test("claimOutputFolder() keeps a folder to one plan", () =>
  withFolder(async (outer) => {
    const folder = `${outer}/out`;
    await claimOutputFolder(folder, "plan a");
    await claimOutputFolder(folder, "plan a");
    await assert.rejects(claimOutputFolder(folder, "plan b"), {
      code: "OUTPUT_FOLDER_OF_ANOTHER_PLAN",
      message: /belongs to the plan [0-9a-f]{4}…[0-9a-f]{4}, and this is plan/,
    });
    assert.equal(Deno.readTextFileSync(`${folder}/plan.json`), "plan a");
    await claimOutputFolder(folder, "plan c", (found) => new TextDecoder().decode(found) === "plan a");
    assert.equal(Deno.readTextFileSync(`${folder}/plan.json`), "plan c");
  }));

Deno.test("claimOutputFolder() leaves a folder of other things alone", () =>
  withFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/thesis.tex`, "");
    await assert.rejects(claimOutputFolder(folder, "plan"), {
      code: "OUTPUT_FOLDER_NOT_OURS",
      message: /holds "thesis.tex"/,
    });
    Deno.removeSync(`${folder}/thesis.tex`);
    await using _lock = await lockOutputFolder(folder);
    await claimOutputFolder(folder, "plan");
  }));
