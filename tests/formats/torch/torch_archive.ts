/** Files of torch.save as anyone may write them: archives, and the pickles in them. */
import { crc32 } from "node:zlib";

/** An entry to be. What a reader should not believe may be given in place of the truth. */
export interface ArchiveEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** in the central directory */
  readonly size?: number;
  readonly compressedSize?: number;
  /** of the local header, in the central directory */
  readonly offset?: number;
  /** in the local header */
  readonly localName?: string;
  /** whether the sizes stand in the extra field, as for files beyond 4 GiB */
  readonly isWide?: boolean;
}

/** What the end of an archive says in place of the truth. */
export interface ArchiveEnd {
  readonly count?: number;
  readonly directoryBytes?: number;
  readonly directoryBegin?: number;
  /** without the record of 64 bits, as other programs write small archives */
  readonly isNarrow?: boolean;
  readonly comment?: string;
  /** between the directory and its end */
  readonly gap?: number;
}

const encoder = new TextEncoder();

/** Bytes of text, of an integer of the width that the letter gives, or as they are. */
export function join(...parts: readonly (string | Uint8Array | readonly [width: 1 | 2 | 4 | 8, value: number])[]) {
  return new Uint8Array(parts.flatMap((part) => {
    if (typeof part === "string") return [...encoder.encode(part)];
    if (part instanceof Uint8Array) return [...part];
    const [width, value] = part;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    return [...bytes.subarray(0, width)];
  }));
}

/** The bytes of an archive with entries in the order given. */
export function archiveOf(entries: readonly ArchiveEntry[], end: ArchiveEnd = {}): Uint8Array<ArrayBuffer> {
  let body = new Uint8Array();
  let directory = new Uint8Array();
  for (const entry of entries) {
    const { name, data, method = 0, flags = 0x0808, localName = name } = entry;
    const { crc = crc32(data), size = data.length, compressedSize = size, offset = body.length } = entry;
    const padding = (64 - (body.length + 30 + localName.length) % 64) % 64;
    const wide = 0xffffffff;
    const extra = entry.isWide ? join([2, 1], [2, 24], [8, size], [8, compressedSize], [8, offset]) : new Uint8Array();
    directory = join(
      directory,
      ...[[4, 0x02014b50], [2, 0], [2, 0], [2, flags], [2, method], [4, 0], [4, crc]] as const,
      ...(entry.isWide ? [[4, wide], [4, wide]] as const : [[4, compressedSize], [4, size]] as const),
      ...[[2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0]] as const,
      [4, entry.isWide ? wide : offset],
      name,
      extra,
    );
    body = join(
      body,
      ...[[4, 0x04034b50], [2, 0], [2, flags], [2, method], [4, 0], [4, 0], [4, 0], [4, 0]] as const,
      [2, localName.length],
      [2, padding],
      localName,
      new Uint8Array(padding),
      data,
    );
  }
  const { count = entries.length, directoryBytes = directory.length, directoryBegin = body.length } = end;
  const recordAt = body.length + directory.length + (end.gap ?? 0);
  return join(
    body,
    directory,
    new Uint8Array(end.gap ?? 0),
    end.isNarrow ? "" : join(
      ...[[4, 0x06064b50], [8, 44], [2, 0], [2, 0], [4, 0], [4, 0], [8, count], [8, count]] as const,
      ...[[8, directoryBytes], [8, directoryBegin], [4, 0x07064b50], [4, 0], [8, recordAt], [4, 1]] as const,
    ),
    ...[[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, directoryBytes], [4, directoryBegin]] as const,
    [2, end.comment?.length ?? 0],
    end.comment ?? "",
  );
}

/** Parts of pickles. */
export const PICKLE = {
  text: (text: string) => join("X", [4, encoder.encode(text).length], text),
  global: (module: string, name: string) => join(`c${module}\n${name}\n`),
  count: (value: number) => join("J", [4, value]),
  tuple: (...items: readonly Uint8Array[]) => join("(", ...items, "t"),
  /** a dictionary, keys and values in turn */
  dict: (...items: readonly Uint8Array[]) => join("}(", ...items, "u"),
  whole: (...parts: readonly (Uint8Array | string)[]) => join(Uint8Array.of(0x80, 2), ...parts, "."),
};

/** What a tensor is pickled as. */
export interface PickledTensor {
  readonly type?: string;
  readonly key?: string;
  readonly elements: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The pickle of one tensor. */
export function tensorPickle(
  { type = "FloatStorage", key = "0", elements, offset = 0, shape, strides }: PickledTensor,
) {
  const { text, global, count, tuple } = PICKLE;
  const storage = tuple(text("storage"), global("torch", type), text(key), text("cpu"), count(elements));
  const hooks = join(global("collections", "OrderedDict"), ")R");
  const counts = (values: readonly number[]) => tuple(...values.map(count));
  return join(
    global("torch._utils", "_rebuild_tensor_v2"),
    tuple(join(storage, "Q"), count(offset), counts(shape), counts(strides), join(Uint8Array.of(0x89)), hooks),
    "R",
  );
}

/** A whole file of one tensor "weight" and its storage. */
export function torchFile(pickle: Uint8Array, storage: Uint8Array, more: readonly ArchiveEntry[] = []) {
  return archiveOf([
    { name: "model/data.pkl", data: pickle },
    { name: "model/byteorder", data: join("little") },
    { name: "model/data/0", data: storage },
    { name: "model/version", data: join("3\n") },
    ...more,
  ]);
}
