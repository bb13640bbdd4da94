/**
 * A pickle read as a description: the opcodes that `torch.save` writes for a table of tensors, by default in protocol 2,
 * and no others. Nothing is imported, called or set; a call becomes a value that says what would be called. Of npm's readers,
 * pickleparser takes every opcode, calls what names resolve to, and reads on past a stack or a memo that lacks the value.
 *
 * Memory is bounded by the bytes that are read: every opcode makes one value or joins those there are.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
import { printable } from "../../files/safe_name.ts";
import { opcodeOf } from "./pickle_opcodes.ts";
import { PickleInput } from "./pickle_input.ts";
import { describeValue, type PickleDict, type PickleValue } from "./pickle_value.ts";
import { type Fail, failOf, SAVE_AGAIN, unsafePickle } from "./torch_error.ts";

const PROTOCOLS = [2, 3, 4, 5];
/** The one class that is made rather than described: it is a dictionary. */
const ORDERED_DICT = "collections.OrderedDict";
/** Values at once. Python writes dictionaries by a thousand members. */
const MAX_STACK = 1 << 16;
/** Marks at once: a tuple in a tuple in a dictionary is three. */
const MAX_MARKS = 64;

/** What PyTorch names for tensors of kinds that are not read. Naming them does no harm. */
const OTHER_TENSORS =
  /^torch\.(\w+Storage|storage\.(Untyped|Typed)Storage|Size|device|sparse_\w+|strided|(b?float|u?int|complex|q?u?int|bits)\d*\w*|_utils\._rebuild_\w*tensor\w*|_tensor\._rebuild_from_type_v2|_utils\._rebuild_parameter_with_state)$/;

/**
 * Reads a pickle to its end.
 *
 * @param globals what it may name, as `module.name`
 * @param name the file's name, for messages
 * @throws {UserError} `UNSAFE_PICKLE` for any other name or opcode; `UNSUPPORTED_TORCH_FILE` for another protocol, and
 * for names of other kinds of tensors; `BAD_TORCH_FILE` if it is cut short or malformed
 */
export function readPickle(bytes: Uint8Array, globals: ReadonlySet<string>, name: string): PickleValue {
  return new PickleMachine(bytes, globals, name).run();
}

/** The stack machine that a pickle is a program of. */
class PickleMachine {
  readonly #input: PickleInput;
  readonly #fail: Fail;
  readonly #stack: PickleValue[] = [];
  /** how many values were on the stack at each open mark */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #protocol = 0;

  constructor(bytes: Uint8Array, private readonly globals: ReadonlySet<string>, private readonly name: string) {
    this.#fail = failOf(name);
    this.#input = new PickleInput(bytes, this.#fail);
  }

  run(): PickleValue {
    const input = this.#input;
    for (;;) {
      const at = input.at;
      const code = input.u8();
      const opcode = opcodeOf(code, this.#protocol);
      if (opcode === undefined) {
        throw unsafePickle(
          this.name,
          `has the opcode 0x${code.toString(16).padStart(2, "0")} at byte ${at} of its pickle`,
        );
      }
      if ((at === 0) !== (opcode === "PROTO")) this.#fail(`its pickle has ${opcode} at byte ${at}`);
      if (opcode === "STOP") break;
      this.#step(opcode);
      if (this.#stack.length > MAX_STACK) this.#fail(`its pickle holds more than ${MAX_STACK} values at once`);
    }
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) this.#fail("its pickle stops with values left over");
    if (!input.isAtEnd) this.#fail(`its pickle stops at byte ${input.at}, and more follows`);
    return value;
  }

  #step(opcode: string): void {
    const input = this.#input;
    switch (opcode) {
      case "PROTO": {
        this.#protocol = input.u8();
        if (!PROTOCOLS.includes(this.#protocol)) {
          this.#fail(`its pickle is of protocol ${this.#protocol}, expected ${PROTOCOLS.join(", ")}`, SAVE_AGAIN);
        }
        return;
      }
      case "FRAME":
        // How many bytes to fetch at once. All of them are here.
        return input.requireMore(input.u64());
      case "MARK":
        if (this.#marks.push(this.#stack.length) > MAX_MARKS) this.#fail(`its pickle nests beyond ${MAX_MARKS}`);
        return;
      case "NONE":
        return this.#push(null);
      case "NEWTRUE":
        return this.#push(true);
      case "NEWFALSE":
        return this.#push(false);
      case "BININT":
        return this.#push(input.i32());
      case "BININT1":
        return this.#push(input.u8());
      case "BININT2":
        return this.#push(input.u16());
      case "LONG1":
        return this.#push(input.long1());
      case "BINUNICODE":
        return this.#push(input.text(input.u32()));
      case "SHORT_BINUNICODE":
        return this.#push(input.text(input.u8()));
      case "BINUNICODE8":
        return this.#push(input.text(input.u64()));
      case "EMPTY_TUPLE":
        return this.#pushTuple([]);
      case "TUPLE":
        return this.#pushTuple(this.#popToMark());
      case "TUPLE1":
      case "TUPLE2":
      case "TUPLE3": {
        const items = Array.from({ length: Number(opcode.at(-1)) }, () => this.#pop());
        return this.#pushTuple(items.reverse());
      }
      case "EMPTY_DICT":
        return this.#push({ kind: "dict", entries: new Map() });
      case "SETITEM": {
        const value = this.#pop();
        return this.#setItems([this.#pop(), value]);
      }
      case "SETITEMS":
        return this.#setItems(this.#popToMark());
      case "BINPUT":
        return this.#put(input.u8());
      case "LONG_BINPUT":
        return this.#put(input.u32());
      case "MEMOIZE":
        return this.#put(this.#memo.size);
      case "BINGET":
        return this.#get(input.u8());
      case "LONG_BINGET":
        return this.#get(input.u32());
      case "GLOBAL":
        return this.#global(`${input.line()}.${input.line()}`);
      case "STACK_GLOBAL":
        return this.#stackGlobal();
      case "REDUCE":
        return this.#reduce();
      case "BUILD":
        return this.#build();
      case "BINPERSID":
        return this.#push({ kind: "persistent", id: this.#pop() });
      default:
        throw new Error(`Opcode ${opcode} is known and not handled`);
    }
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pushTuple(items: readonly PickleValue[]): void {
    this.#push({ kind: "tuple", items });
  }

  /** The value on top, if it is above the last mark. */
  #top(): PickleValue {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.at(-1) : undefined;
    return value === undefined ? this.#fail(`its pickle lacks a value before byte ${this.#input.at}`) : value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.length--;
    return value;
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined
      ? this.#fail(`its pickle lacks a mark before byte ${this.#input.at}`)
      : this.#stack.splice(mark);
  }

  #put(key: number): void {
    if (this.#memo.has(key)) this.#fail(`its pickle puts two values at ${key}`);
    this.#memo.set(key, this.#top());
  }

  #get(key: number): void {
    const value = this.#memo.get(key);
    this.#push(value === undefined ? this.#fail(`its pickle gets a value from ${key}, where none is`) : value);
  }

  #topDict(opcode: string): PickleDict {
    const dict = this.#top();
    const isDict = typeof dict === "object" && dict?.kind === "dict";
    return isDict ? dict : this.#fail(`its pickle has ${opcode} on ${describeValue(dict)}, expected a dict`);
  }

  /** @param items keys and values in turn */
  #setItems(items: readonly PickleValue[]): void {
    const { entries } = this.#topDict("SETITEMS");
    if (items.length % 2 > 0) this.#fail("its pickle has a key without a value");
    for (let i = 0; i < items.length; i += 2) {
      const [key, value = null] = items.slice(i, i + 2);
      if (typeof key !== "string") {
        return this.#fail(`its pickle has ${describeValue(key)} for a key, expected a string`, SAVE_AGAIN);
      }
      if (entries.has(key)) this.#fail(`its pickle has the key "${printable(key)}" twice`);
      entries.set(key, value);
    }
  }

  #global(name: string): void {
    if (!this.globals.has(name)) {
      if (OTHER_TENSORS.test(name)) this.#fail(`its pickle has a tensor of the kind "${name}"`, SAVE_AGAIN);
      throw unsafePickle(this.name, `names "${printable(name)}"`);
    }
    this.#push({ kind: "global", name });
  }

  #stackGlobal(): void {
    const name = this.#pop();
    const module = this.#pop();
    if (typeof module !== "string" || typeof name !== "string") {
      return this.#fail(`its pickle names ${describeValue(name)} of ${describeValue(module)}, expected two strings`);
    }
    this.#global(`${module}.${name}`);
  }

  #reduce(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (typeof callee !== "object" || callee?.kind !== "global") {
      throw unsafePickle(this.name, `calls ${describeValue(callee)}`);
    }
    if (typeof args !== "object" || args?.kind !== "tuple") {
      return this.#fail(`its pickle calls "${callee.name}" with ${describeValue(args)}, expected a tuple`);
    }
    if (callee.name !== ORDERED_DICT) return this.#push({ kind: "call", callee: callee.name, items: args.items });
    if (args.items.length > 0) this.#fail(`its pickle makes a "${ORDERED_DICT}" of something`);
    this.#push({ kind: "dict", entries: new Map() });
  }

  /** What is set on a table beside its tensors: versions of modules. They are passed over. */
  #build(): void {
    const state = this.#pop();
    this.#topDict("BUILD");
    const keys = typeof state === "object" && state?.kind === "dict" ? [...state.entries.keys()] : undefined;
    if (keys === undefined || keys.some((key) => key !== "_metadata")) {
      throw unsafePickle(
        this.name,
        `sets ${keys === undefined ? describeValue(state) : `"${printable(keys.join())}"`}`,
      );
    }
  }
}
