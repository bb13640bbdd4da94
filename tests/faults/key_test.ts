import assert from "node:assert/strict";
import { createKeyFile, findSigningKey, publicKeyPath, readVerifyingKey } from "../../src/manifest/keys/key_file.ts";
import { SimulatedDisk } from "./simulated_disk.ts";
import { stopsOf } from "./stops.ts";

Deno.test("findSigningKey() has a key with its public key beside it, wherever the process that made it stopped", async () => {
  const defaultFile = "/keys/key.pem";
  const { stops } = await stopsOf(new SimulatedDisk(), async (files) => void await createKeyFile(defaultFile, files), {
    known: () => undefined,
  });
  assert(stops.length > 10, `${stops.length} stops`);
  for (const { moment, restart } of stops) {
    const { files } = restart();
    const { key } = await findSigningKey({ defaultFile, files });
    assert.equal((await readVerifyingKey(publicKeyPath(defaultFile), files)).keyId, key.keyId, moment);
  }
});
