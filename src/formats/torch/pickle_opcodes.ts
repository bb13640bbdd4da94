/**
 * The opcodes of pickles that a table of tensors needs.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */

const OPCODES = new Map(
  Object.entries({
    PROTO: 0x80,
    STOP: 0x2e,
    MARK: 0x28,
    NONE: 0x4e,
    NEWTRUE: 0x88,
    NEWFALSE: 0x89,
    BININT: 0x4a,
    BININT1: 0x4b,
    BININT2: 0x4d,
    LONG1: 0x8a,
    BINUNICODE: 0x58,
    EMPTY_TUPLE: 0x29,
    TUPLE: 0x74,
    TUPLE1: 0x85,
    TUPLE2: 0x86,
    TUPLE3: 0x87,
    EMPTY_DICT: 0x7d,
    SETITEM: 0x73,
    SETITEMS: 0x75,
    BINPUT: 0x71,
    LONG_BINPUT: 0x72,
    BINGET: 0x68,
    LONG_BINGET: 0x6a,
    GLOBAL: 0x63,
    REDUCE: 0x52,
    BUILD: 0x62,
    BINPERSID: 0x51,
  }).map(([name, code]) => [code, name]),
);

/** Those that protocol 4 has beside them. */
const NEWER_OPCODES = new Map(
  Object.entries({
    FRAME: 0x95,
    MEMOIZE: 0x94,
    SHORT_BINUNICODE: 0x8c,
    BINUNICODE8: 0x8d,
    STACK_GLOBAL: 0x93,
  }).map(([name, code]) => [code, name]),
);
/** From here on they are known. */
const NEWER_PROTOCOL = 4;

/** Name of an opcode that a pickle of a protocol may have; `undefined` for any other. */
export function opcodeOf(code: number, protocol: number): string | undefined {
  return OPCODES.get(code) ?? (protocol >= NEWER_PROTOCOL ? NEWER_OPCODES.get(code) : undefined);
}
