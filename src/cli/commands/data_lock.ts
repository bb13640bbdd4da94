/** `deno task data lock`: believes the hub once, and writes down what. */
import { type DataLock, MAX_LOCK_BYTES, readDataLock } from "../../data/data_lock.ts";
import { describePin, lockedRepository, trustRepository, withHubPins } from "../../data/hub/lock.ts";
import { ownMember } from "../../digest/own_member.ts";
import { writeFileDurably } from "../../files/durable.ts";
import { readFileBounded } from "../../files/read_file.ts";
import { type DataContext, repositoriesOf } from "../data_uses.ts";
import { formatBytes } from "../download_progress.ts";
import { print } from "../../terminal.ts";

/**
 * Pins what is not pinned yet, and holds the hub against what is. Each pin is written as it is made: where the hub
 * refuses one repository, those before it are pinned.
 *
 * @param renew believe the hub anew about everything
 * @throws {UserError} `DIGEST_MISMATCH`, `NO_DATA_FILES`, `NO_SAFETENSORS`, and as the connection throws
 */
export async function lockData(context: DataContext, renew: boolean): Promise<void> {
  const { uses, connection, cache, lockPath, signal } = context;
  const lock = await readDataLock(lockPath);
  const pins = { ...lock.hub };
  let trusted = 0;
  try {
    for (const [id, repository] of repositoriesOf(uses)) {
      const pin = ownMember(pins, id);
      if (pin !== undefined && !renew) {
        await lockedRepository(connection, cache, lock, repository, signal);
        print(`${id}\n  as locked: ${describePin(pin)}`);
        continue;
      }
      const today = new Date().toISOString().slice(0, 10);
      const fresh = await trustRepository(connection, cache, repository, today, signal);
      pins[id] = fresh.pin;
      await writePins(lockPath, pins);
      trusted++;
      const was = pin === undefined ? "" : `\n  before: ${describePin(pin)}`;
      print(`${id}\n  now locked: ${describePin(fresh.pin)}, ${formatBytes(fresh.pin.bytes)}${was}`);
    }
  } finally {
    if (trusted > 0) {
      print(`
Written to ${lockPath}. This is trust on first use: no digests of this data are public, so what the hub
said just now is believed, and anything else is refused from now on. Keep the file under version control, and compare
it with others who have it.`);
    }
  }
}

async function writePins(lockPath: string, pins: DataLock["hub"]): Promise<void> {
  const text = new TextDecoder().decode(await readFileBounded(lockPath, MAX_LOCK_BYTES));
  await writeFileDurably(lockPath, withHubPins(text, pins));
}
