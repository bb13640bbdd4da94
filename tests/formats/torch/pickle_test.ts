import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../../src/errors.ts";
import { readPickle } from "../../../src/formats/torch/pickle.ts";
import type { PickleValue } from "../../../src/formats/torch/pickle_value.ts";
import { readStateDict } from "../../../src/formats/torch/state_dict.ts";
import { userError } from "../../data/user_error.ts";
import { applyByteEdits, byteEdits } from "../../fuzz/byte_edits.ts";
import { join, PICKLE, tensorPickle } from "./torch_archive.ts";

const GLOBALS = new Set(["collections.OrderedDict", "torch.FloatStorage", "torch._utils._rebuild_tensor_v2"]);
const { text, global, count, tuple, dict, whole } = PICKLE;
const read = (pickle: Uint8Array) => readPickle(pickle, GLOBALS, "model.bin");
const byte = (...bytes: number[]) => Uint8Array.from(bytes);
const items = (...values: PickleValue[]): PickleValue => ({ kind: "tuple", items: values });

/** The opcodes of protocol 2 that a table of tensors has; Python's `pickletools` names them. */
const KNOWN = new Set([..."\x80.(NJKMXt)}suqrhjcRbQ\x85\x86\x87\x88\x89\x8a"].map((opcode) => opcode.charCodeAt(0)));

Deno.test("readPickle() refuses each of the 229 other opcodes by its number, whatever is on the stack", () => {
  let refused = 0;
  for (let opcode = 0; opcode < 256; opcode++) {
    if (KNOWN.has(opcode)) continue;
    const pickle = whole(dict(), text("os"), text("system"), tuple(text("ls")), byte(opcode), "posix\nsystem\n");
    const hex = `0x${opcode.toString(16).padStart(2, "0")}`;
    assert.throws(() => read(pickle), userError("UNSAFE_PICKLE", `opcode ${hex} at byte`, "nothing of it was run"));
    refused++;
  }
  assert.equal(refused, 229);
});

Deno.test("readPickle() refuses any name but those allowed, before it could be called", () => {
  const attacks: [module: string, name: string][] = [
    ["os", "system"],
    ["posix", "system"],
    ["builtins", "eval"],
    ["torch", "load"],
    ["torch._utils", "_rebuild_tensor_v2.__globals__"],
    ["collections", "OrderedDict "],
    ["torch", "FloatStorage\u202e"],
    ["", ""],
    ["__proto__", "constructor"],
  ];
  for (const [module, name] of attacks) {
    const pickle = whole(global(module, name), tuple(text("touch attacked")), "R");
    assert.throws(() => read(pickle), (error: unknown) => {
      assert(error instanceof UserError && ["UNSAFE_PICKLE", "BAD_TORCH_FILE"].includes(error.code));
      assert(error.message.includes(name.includes("\u202e") ? "beyond ASCII" : `names "${module}.${name}"`));
      return true;
    });
  }
});

Deno.test("readPickle() describes a call and makes none", () => {
  const call = global("torch._utils", "_rebuild_tensor_v2");
  assert.deepEqual(read(whole(call, tuple(count(1), count(-2)), "R")), {
    kind: "call",
    callee: "torch._utils._rebuild_tensor_v2",
    items: [1, -2],
  });
});

Deno.test("readPickle() reads every value of a table of tensors", () => {
  const values = whole(
    "(N",
    byte(0x88, 0x89),
    join("J", [4, -5]),
    byte(0x4b, 255),
    byte(0x4d, 1, 2),
    join(byte(0x8a, 5), [4, 1], byte(1)),
    byte(0x8a, 1, 0xfe),
    byte(0x8a, 0),
    text("\ufeffü🌡"),
    ")",
    join("K", byte(1, 0x85)),
    join("K", byte(1), "K", byte(2, 0x86)),
    join("K", byte(1), "K", byte(2), "K", byte(3, 0x87)),
    global("torch", "FloatStorage"),
    join(text("key"), "Q"),
    "t",
  );
  assert.deepEqual(
    read(values),
    items(
      ...[
        null,
        true,
        false,
        -5,
        255,
        513,
        2 ** 32 + 1,
        -2,
        0,
        "\ufeffü🌡",
        items(),
        items(1),
        items(1, 2),
        items(1, 2, 3),
      ],
      { kind: "global", name: "torch.FloatStorage" },
      { kind: "persistent", id: "key" },
    ),
  );
  const table = read(whole("}", byte(0x71, 7), text("a"), count(1), "s(", text("b"), byte(0x68, 7), "u"));
  assert(typeof table === "object" && table?.kind === "dict");
  assert.deepEqual([...table.entries.keys()], ["a", "b"]);
  assert.equal(table.entries.get("b"), table, "a table may be in itself");
});

const MALFORMED: [what: string, pickle: Uint8Array, part: string][] = [
  ["nothing", new Uint8Array(), "ends at byte 0"],
  ["no protocol", join("N."), "NONE at byte 0"],
  ["a protocol in its middle", whole("N", byte(0x80, 2)), "PROTO at byte 3"],
  ["no end", join(byte(0x80, 2), "N"), "ends at byte 3"],
  ["more after its end", join(whole("N"), "N"), "stops at byte 4"],
  ["values left over", whole("NN"), "left over"],
  ["a mark left over", whole("(N"), "left over"],
  ["no value", whole(), "lacks a value"],
  ["a value from below a mark", whole("N(", byte(0x85), "t"), "lacks a value"],
  ["no mark", whole("Nt"), "lacks a mark"],
  ["text beyond its end", whole(join("X", [4, 0xffffffff])), "within a value"],
  ["text that is not UTF-8", whole(join("X", [4, 1]), byte(0xff)), "not UTF-8"],
  ["an integer beyond its end", whole(byte(0x8a, 255)), "within a value"],
  ["an integer beyond 2^53", whole(byte(0x8a, 8, 0, 0, 0, 0, 0, 0, 0x40, 0)), "beyond 2^53"],
  ["a name without an end", join(byte(0x80, 2), "ccollections"), "does not end"],
  ["a name of any length", whole(`c${"a".repeat(1000)}\nb\n`), "does not end"],
  ["a value that was not put", whole(join("j", [4, 0xfffffffe])), "from 4294967294"],
  ["a value put twice", whole("N", byte(0x71, 0, 0x71, 0)), "two values at 0"],
  ["nothing to put", whole(byte(0x71, 0)), "lacks a value"],
  ["a key twice", whole(dict(text("a"), count(1), text("a"), count(2))), '"a" twice'],
  ["a key without a value", whole("}(", text("a"), "u"), "a key without a value"],
  ["members of no table", whole("N", text("a"), "Ns"), "on None, expected a dict"],
  ["a class made of something", whole(global("collections", "OrderedDict"), tuple(count(1)), "R"), "of something"],
  ["a call without a tuple", whole(global("collections", "OrderedDict"), "NR"), "with None, expected a tuple"],
  ["marks without end", whole("(".repeat(65)), "nests beyond 64"],
  ["values without end", whole(join("("), byte(...Array(70_000).fill(0x4e)), "t"), "more than 65536 values"],
];

for (const [what, pickle, part] of MALFORMED) {
  Deno.test(`readPickle() refuses ${what}`, () => {
    assert.throws(() => read(pickle), userError("BAD_TORCH_FILE", part));
  });
}

Deno.test("readPickle() says of a whole pickle of another kind that it is not supported", () => {
  const cases: [pickle: Uint8Array, part: string][] = [
    [byte(0x80, 6, 0x4e, 0x2e), "protocol 6, expected 2, 3, 4, 5"],
    [byte(0x80, 1, 0x4e, 0x2e), "protocol 1"],
    [whole("}K", byte(1), "Ns"), "a number for a key"],
    [whole(global("torch", "QInt8Storage")), '"torch.QInt8Storage"'],
    [whole(global("torch", "float8_e5m2")), '"torch.float8_e5m2"'],
    [whole(global("torch._utils", "_rebuild_qtensor")), '"torch._utils._rebuild_qtensor"'],
  ];
  for (const [pickle, part] of cases) {
    assert.throws(() => read(pickle), userError("UNSUPPORTED_TORCH_FILE", part, "load it with PyTorch"));
  }
  for (const name of ["load", "hub.load", "storage._load_from_bytes", "_utils._import_dotted_name", "jit.load"]) {
    assert.throws(() => read(whole(global("torch", name))), userError("UNSAFE_PICKLE", `"torch.${name}"`));
  }
});

Deno.test("readPickle() reads protocol 4 as protocol 2, with the same names only", () => {
  const short = (text: string) => join(byte(0x8c, text.length), text);
  const named = (module: string, name: string) => join(short(module), byte(0x94), short(name), byte(0x94, 0x93, 0x94));
  const newer = (...parts: (string | Uint8Array)[]) => {
    const body = join(...parts, ".");
    return join(byte(0x80, 4, 0x95), [8, body.length], body);
  };
  assert.deepEqual(read(newer(named("collections", "OrderedDict"), ")R")), { kind: "dict", entries: new Map() });
  assert.deepEqual(read(newer(join(byte(0x8d), [8, 2], "ab"), byte(0x94), byte(0x68, 0, 0x86))), items("ab", "ab"));
  assert.throws(() => read(newer(named("os", "system"))), userError("UNSAFE_PICKLE", 'names "os.system"'));
  const malformed: [pickle: Uint8Array, part: string][] = [
    [newer("NN", byte(0x93)), "names None of None"],
    [newer(short("torch"), byte(0x93)), "lacks a value"],
    [newer(byte(0x94)), "lacks a value"],
    [join(byte(0x80, 4, 0x95), [8, 3], "N."), "within a frame"],
    [join(byte(0x80, 4, 0x95), [8, -1], "N."), "within a frame"],
    [newer(byte(0x8d), join([8, -1])), "within a value"],
    [newer(byte(0x8c, 200), "a"), "within a value"],
  ];
  for (const [pickle, part] of malformed) assert.throws(() => read(pickle), userError("BAD_TORCH_FILE", part));
});

Deno.test("readPickle() refuses to call what is no name, and to set anything but versions", () => {
  assert.throws(() => read(whole(text("os.system"), ")R")), userError("UNSAFE_PICKLE", "calls a string"));
  const call = join(global("torch._utils", "_rebuild_tensor_v2"), ")R");
  assert.throws(() => read(whole(call, ")R")), userError("UNSAFE_PICKLE", "calls a call"));
  assert.throws(() => read(whole(dict(), dict(text("__class__"), count(1)), "b")), userError("UNSAFE_PICKLE", "sets"));
  assert.throws(() => read(whole(dict(), count(1), "b")), userError("UNSAFE_PICKLE", "sets a number"));
  assert.throws(() => read(whole(count(1), dict(), "b")), userError("BAD_TORCH_FILE", "BUILD on a number"));
  assert.deepEqual(read(whole(dict(), dict(text("_metadata"), dict()), "b")), { kind: "dict", entries: new Map() });
});

Deno.test("readPickle() reads a tuple of itself doubled 10,000 times without going through it", () => {
  const levels = Array.from(
    { length: 10_000 },
    (_, i) => join(byte(0x72), [4, i], byte(0x6a), join([4, i]), byte(0x86)),
  );
  const value = read(whole(")", ...levels));
  assert(typeof value === "object" && value?.kind === "tuple" && value.items[0] === value.items[1]);
});

const FLIPS = 2000;
Deno.test(`readStateDict() refuses or reads a pickle whose bytes change (${FLIPS} pickles)`, () => {
  const tensor = tensorPickle({ elements: 6, offset: 1, shape: [2, 2], strides: [2, 1] });
  const pickle = whole(dict(text("weight"), tensor, text("bias"), tensor), dict(text("_metadata"), dict()), "b");
  let refused = 0;
  fc.assert(
    fc.property(byteEdits, (edits) => {
      try {
        for (
          const { dtype, shape, offset, span, bytes, storageBytes } of readStateDict(
            applyByteEdits(pickle, edits),
            "model.bin",
          ).values()
        ) {
          const width = { F64: 8, F32: 4, F16: 2, I64: 8, I32: 4, I16: 2 }[dtype as string] ?? 1;
          assert.equal(bytes, shape.reduce((product, length) => product * length, width));
          assert(offset >= 0 && offset + span <= storageBytes && Number.isSafeInteger(storageBytes));
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        assert(["UNSAFE_PICKLE", "UNSUPPORTED_TORCH_FILE", "BAD_TORCH_FILE"].includes(error.code));
        assert(error.message.length < 700, error.message);
        refused++;
      }
    }),
    { numRuns: FLIPS, seed: 1 },
  );
  assert(refused > FLIPS / 2 && refused < FLIPS, `${refused}`);
});
