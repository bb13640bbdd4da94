import assert from "node:assert/strict";
import { crc32c, eventFile, maskedCrc32c, type ScalarEvent } from "../../../src/formats/tensorboard/event_file.ts";

const text = (words: string) => new TextEncoder().encode(words);

Deno.test("crc32c() gives the check values of RFC 3720 and of the catalogue of CRCs", () => {
  assert.equal(crc32c(text("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
});

/** Data of every record whose frame is good. */
function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    assert.equal(view.getUint32(at + 8, true), maskedCrc32c(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.equal(view.getUint32(at + 12 + length, true), maskedCrc32c(data));
    found.push(data);
    at += length + 16;
  }
  return found;
}

Deno.test("eventFile() has a version, then an event a scalar, byte for byte as protocol buffers have it", () => {
  const [version, event, ...others] = records(eventFile([{ step: 300, tag: "a/b", value: 1.5 }]));
  assert.equal(others.length, 0);
  const noTime = [0x09, 0, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual([...version ?? []], [...noTime, 0x1a, 13, ...text("brain.Event:2")]);
  assert.deepEqual(
    [...event ?? []],
    [...noTime, 0x10, 0xac, 0x02, 0x2a, 12, 0x0a, 10, 0x0a, 3, ...text("a/b"), 0x15, 0, 0, 0xc0, 0x3f],
  );
});

Deno.test("the file of a longer list begins with the bytes of a shorter one", () => {
  const events: ScalarEvent[] = Array.from({ length: 9 }, (_, step) => ({ step, tag: "train/loss", value: step / 3 }));
  const [short, long] = [eventFile(events.slice(0, 5)), eventFile(events)];
  assert.deepEqual(long.subarray(0, short.length), short);
});
