import assert from "node:assert/strict";
import fc from "fast-check";
import { archiveSize, memberHeader } from "../../../src/formats/tar/tar_format.ts";
import { readMemberHeader } from "../../../src/formats/tar/tar_header.ts";
import { readTarIndex } from "../../../src/formats/tar/tar_index.ts";
import { tarBytes, type TarSource } from "../../../src/formats/tar/tar_writer.ts";
import { sha256 } from "../../../src/digest/sha256.ts";
import { readChunks } from "../../../src/files/read_file.ts";
import { foldName, unsafeNameReason } from "../../../src/files/safe_name.ts";
import { withFolder } from "../../temporary_folder.ts";
import { END, entry, forgeHeader, join, padded, paxEntry } from "./hostile.ts";

function source(name: string, text: string): TarSource {
  const bytes = new TextEncoder().encode(text);
  return {
    name,
    size: bytes.length,
    async *contents() {
      for (let at = 0; at < bytes.length; at += 100) yield await Promise.resolve(bytes.subarray(at, at + 100));
    },
  };
}

async function pack(sources: readonly TarSource[]): Promise<Uint8Array<ArrayBuffer>> {
  return join(...await Array.fromAsync(tarBytes(sources)));
}

const LONG = `top/${"l".repeat(60)}/${"m".repeat(60)}/n.txt`;
const EXAMPLE = [
  source("top/sub/block", "z".repeat(512)),
  source(`top/${"n".repeat(96)}`, "hundred"),
  source(LONG, "long"),
  source("top/empty", ""),
  source("top/a.txt", "one"),
];

Deno.test("tarBytes() gives the bytes that GNU tar 1.34 gives for the same files, in whatever order they come", async () => {
  // tar c --format=ustar -b1 --mtime=@315532800 --owner=0 --group=0 --numeric-owner --mode=0644 --no-recursion -T sorted
  const digest = "9b081aa204094cf0c96894fda35c021be29d83aaa5b33d907a58a1932422629a";
  const bytes = await pack(EXAMPLE);
  assert.equal(sha256(bytes), digest);
  assert.equal(bytes.length, archiveSize(EXAMPLE));
  assert.equal(sha256(await pack(EXAMPLE.toReversed())), digest);
});

Deno.test("memberHeader() writes what does not fit into ustar as pax records", () => {
  const text = (name: string, size: number) => new TextDecoder().decode(memberHeader({ name, size }));
  assert.match(text("top/é.txt", 3), /\0(19 path=top\/é\.txt\n)\0/);
  const part = "p".repeat(150);
  assert.match(text(`top/${part}/${part}`, 3), new RegExp(`\\x00315 path=top/${part}/${part}\\n\\x00`));
  const large = text("top/large", 8 ** 11);
  assert.match(large, /\0(19 size=8589934592\n)\0/);
  assert.equal(large.length, 1536);
  assert.equal(text("top/large", 8 ** 11 - 1).length, 512);
});

Deno.test("readMemberHeader() reads every header that memberHeader() writes", async () => {
  const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 130 });
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"))
    .filter((name) => unsafeNameReason(name) === undefined);
  const size = fc.oneof(fc.nat(), fc.integer({ min: 8 ** 11 - 2, max: Number.MAX_SAFE_INTEGER }));
  await fc.assert(
    fc.asyncProperty(name, size, async (name, size) => {
      const header = memberHeader({ name, size });
      const read = (offset: number, length: number) => Promise.resolve(header.subarray(offset, offset + length));
      assert.deepEqual(await readMemberHeader(read), { name, size, headerBytes: header.length });
    }),
    { numRuns: 300 },
  );
});

Deno.test("readTarIndex() finds the contents of all files", () =>
  withFolder(async (folder) => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-zé]{1,60}(\/[A-Z0-9ü]{1,60}){0,3}$/), {
      minLength: 1,
      maxLength: 8,
      selector: foldName,
    });
    const path = `${folder}/archive.tar`;
    await fc.assert(
      fc.asyncProperty(names, fc.nat(2000), async (names, size) => {
        const texts = new Map(names.map((name, index) => [name, `${index}`.repeat(size)]));
        await Deno.writeFile(path, await pack([...texts].map(([name, text]) => source(name, text))));
        const index = await readTarIndex(path);
        assert.deepEqual([...index.keys()], names.toSorted());
        for (const [name, range] of index) {
          const chunks = await Array.fromAsync(readChunks(path, undefined, range));
          assert.equal(new TextDecoder().decode(join(...chunks)), texts.get(name));
        }
      }),
      { numRuns: 40 },
    );
  }));

for (
  const { what, sources, message } of [
    { what: "lead out of the archive", sources: [source("top/../x", "")], message: /has a part "\.\."/ },
    {
      what: "are one on some systems",
      sources: [source("top/É", ""), source("top/e\u0301", "")],
      message: /Two files/,
    },
    { what: "are too long", sources: [source(`${"long/".repeat(205)}name`, "")], message: /longer than 1024/ },
  ]
) {
  Deno.test(`tarBytes() refuses names that ${what}`, async () => {
    await assert.rejects(pack(sources), { code: "UNSAFE_PATH", message });
  });
}

Deno.test("tarBytes() refuses contents of another size than was said", async () => {
  for (const size of [2, 4]) {
    await assert.rejects(pack([{ ...source("a", "one"), size }]), { code: "FILE_CHANGED" });
  }
});

const x = entry("top/x", "contents");
const HOSTILE: readonly { what: string; bytes: Uint8Array<ArrayBuffer>; reason: RegExp }[] = [
  { what: "nothing", bytes: new Uint8Array(), reason: /it is cut off/ },
  { what: "no file", bytes: END, reason: /it is empty/ },
  { what: "no end", bytes: x, reason: /it is cut off/ },
  { what: "half an end", bytes: join(x, END.subarray(512)), reason: /it is cut off/ },
  { what: "a second archive behind its end", bytes: join(x, END, x, END), reason: /something follows its end/ },
  { what: "zeros behind its end", bytes: join(x, END, END), reason: /something follows its end/ },
  { what: "a lone block of zeros", bytes: join(x, END.subarray(512), x, END), reason: /something follows its end/ },
  { what: "a file twice", bytes: join(x, x, END), reason: /entry 2 "top\/x" stands twice/ },
  {
    what: "names that differ in case",
    bytes: join(entry("top/A", ""), entry("top/a", ""), END),
    reason: /stands twice/,
  },
  { what: "names out of order", bytes: join(x, entry("top/a", ""), END), reason: /"top\/a" is not in the order/ },
  { what: "an absolute name", bytes: join(entry("/etc/passwd", "x"), END), reason: /is an absolute path/ },
  { what: "a name that climbs", bytes: join(entry("top/../../x", "x"), END), reason: /has a part "\.\."/ },
  { what: "a name of Windows", bytes: join(entry("top\\x", "x"), END), reason: /has a "\\"/ },
  { what: "a control character", bytes: join(entry("top/\x1b[2J", "x"), END), reason: /a control character/ },
  { what: "a name that is not ASCII", bytes: join(entry("top/\u00e9", "x"), END), reason: /entry 1 / },
  { what: "no name", bytes: join(entry("", "x"), END), reason: /is empty/ },
  {
    what: "a prefix that it does not need",
    bytes: join(entry("x", "x", { prefix: "top" }), END),
    reason: /another name than/,
  },
  {
    what: "a climbing prefix",
    bytes: join(entry("x", "x", { prefix: "../.." }), END),
    reason: /has a part "\.\."/,
  },
  ...([
    ["1", /is a hard link/],
    ["2", /is a symbolic link/],
    ["3", /is a character device/],
    ["4", /is a block device/],
    ["5", /is a folder/],
    ["6", /is a named pipe/],
    ["7", /is of type "7", which is unknown/],
    ["g", /is a global pax header/],
    ["K", /is a long name of a link/],
    ["L", /is a long name in the way of GNU/],
    ["S", /is a sparse file/],
    ["", /is of type "", which is unknown/],
  ] as const).map(([type, reason]) => ({
    what: `an entry of type "${type}"`,
    bytes: join(entry("top/x", "", { type, linkname: "/etc/passwd" }), END),
    reason,
  })),
  ...([
    ["mode", "0004755\0"],
    ["uid", "0001750\0"],
    ["gid", "0001750\0"],
    ["mtime", "14700000000\0"],
    ["linkname", "elsewhere"],
    ["uname", "root"],
    ["gname", "root"],
    ["devmajor", "0000001\0"],
    ["devminor", "0000001\0"],
    ["rest", "hidden"],
  ] as const).map(([field, text]) => ({
    what: `another ${field}`,
    bytes: join(entry("top/x", "x", { [field]: text }), END),
    reason: new RegExp(`entry 1 has another ${field} than bundles have`),
  })),
  {
    what: "something behind a name",
    bytes: join(entry("top/x\0hidden", "x"), END),
    reason: /another name than bundles have/,
  },
  {
    what: "a wrong checksum",
    bytes: join(entry("top/x", "x", { checksum: "000001\0 " }), END),
    reason: /damaged header/,
  },
  {
    what: "a header of GNU",
    bytes: join(entry("top/x", "x", { magic: "ustar  \0" }), END),
    reason: /no header of POSIX/,
  },
  {
    what: "a size of GNU",
    bytes: join(forgeHeader("top/x", 0, { size: "\x7f\0\0\0\0\0\0\0\0\0\0\x01" }), END),
    reason: /not 11 octal digits/,
  },
  {
    what: "a negative size",
    bytes: join(forgeHeader("top/x", 0, { size: "-0000000001" }), END),
    reason: /octal digits/,
  },
  {
    what: "a size beyond its end",
    bytes: join(forgeHeader("top/x", 8 ** 11 - 1), padded("x"), END),
    reason: /"top\/x" has 8589934591 bytes, and the archive ends 1536 bytes after/,
  },
  {
    what: "bytes behind a file",
    bytes: join(forgeHeader("top/x", 1), new Uint8Array(512).fill(65), END),
    reason: /"top\/x" is followed by bytes that belong to nothing/,
  },
  {
    what: "a pax header that changes a size",
    bytes: join(paxEntry({ size: "2048" }), x, END),
    reason: /a pax header that it does not need/,
  },
  {
    what: "a pax header that hides a name",
    bytes: join(paxEntry({ path: "top/other" }), x, END),
    reason: /a pax header that it does not need/,
  },
  {
    what: "a pax header with a name that climbs",
    bytes: join(paxEntry({ path: "top/\u00e9/../../x" }), x, END),
    reason: /has a part "\.\."/,
  },
  {
    what: "a pax header with a time",
    bytes: join(paxEntry({ mtime: "1" }), x, END),
    reason: /a pax header that overrides "mtime"/,
  },
  {
    what: "a pax header of a sparse file",
    bytes: join(paxEntry({ "GNU.sparse.size": "1" }), x, END),
    reason: /overrides "GNU\.sparse\.size"/,
  },
  {
    what: "a pax header with two names",
    bytes: join(entry("pax-header", "15 path=top/\u00e9\n15 path=top/\u00e8\n", { type: "x" }), x, END),
    reason: /entry 1 /,
  },
  {
    what: "a pax header for a pax header",
    bytes: join(paxEntry({ path: "top/\u00e9" }), paxEntry({ path: "top/\u00e9" }), x, END),
    reason: /is of type "x"/,
  },
  {
    what: "a pax header before its end",
    bytes: join(paxEntry({ path: "top/\u00e9" }), END),
    reason: /no header of POSIX/,
  },
  {
    what: "a pax header that is not UTF-8",
    bytes: join(forgeHeader("pax-header", 2, { type: "x" }), new Uint8Array(512).fill(255), x, END),
    reason: /not UTF-8/,
  },
  {
    what: "an endless pax header",
    bytes: join(forgeHeader("pax-header", 8 ** 11 - 1, { type: "x" }), x, END),
    reason: /a pax header of 8589934591 bytes/,
  },
  {
    what: "a size beyond what numbers hold",
    bytes: join(paxEntry({ size: "9".repeat(17) }), x, END),
    reason: /overrides "size"/,
  },
];

for (const { what, bytes, reason } of HOSTILE) {
  Deno.test(`readTarIndex() refuses an archive with ${what}`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/hostile.tar`;
      await Deno.writeFile(path, bytes);
      await assert.rejects(readTarIndex(path), { name: "UserError", code: "BAD_ARCHIVE", message: reason });
    }));
}

Deno.test("readTarIndex() refuses an archive that is cut off anywhere", () =>
  withFolder(async (folder) => {
    const path = `${folder}/cut.tar`;
    const bytes = await pack(EXAMPLE);
    for (let length = 0; length < bytes.length; length += 97) {
      await Deno.writeFile(path, bytes.subarray(0, length));
      await assert.rejects(readTarIndex(path), { code: "BAD_ARCHIVE" });
    }
  }));
