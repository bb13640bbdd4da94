/** What the reader drops or chooses. */
import type { GivenFile } from "../protocol.ts";
import { element } from "./elements.ts";

/** Files beyond which a folder is not walked: a manifest names no more. */
const MAX_FILES = 524_288;

/** Calls back with what was given by any of the three ways. */
export function onGiven(take: (files: readonly GivenFile[]) => void, refuse: (message: string) => void): void {
  const drop = element("drop");
  for (const id of ["files", "folder"]) {
    const input = element<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      const files = [...input.files ?? []].map((file) => ({
        path: file.webkitRelativePath || file.name,
        content: file,
      }));
      input.value = "";
      if (files.length > 0) take(files);
    });
  }
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const { dataTransfer } = event;
    if (dataTransfer === null || element<HTMLInputElement>("files").disabled) return;
    filesOf(dataTransfer).then(
      take,
      (error) =>
        refuse(
          `What was dropped cannot be read (${error instanceof Error ? error.message : error}): choose it instead`,
        ),
    );
  });
  // What is dropped beside the field would take the place of the page.
  for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());
}

/** A folder's handle as browsers give it of what is dropped, where they have such. */
interface FolderHandle {
  readonly kind: "directory";
  readonly name: string;
  values(): AsyncIterable<FolderHandle | { readonly kind: "file"; readonly name: string; getFile(): Promise<File> }>;
}

type Handle = FolderHandle | { readonly kind: "file" };

type HandledItem = DataTransferItem & { getAsFileSystemHandle?(): Promise<Handle> };

/** What a browser gives of one dropped thing: each of them some do not have. */
interface Dropped {
  readonly entry: FileSystemEntry | null;
  readonly handle: Promise<Handle | undefined> | undefined;
  readonly file: File | null;
}

/** All files of a drop; those of folders with their paths. What a drop holds is gone once this has returned. */
function filesOf({ items, files }: DataTransfer): Promise<GivenFile[]> {
  const dropped = ([...items] as HandledItem[]).filter(({ kind }) => kind === "file").map((item): Dropped => {
    const entry = item.webkitGetAsEntry();
    const handle = entry?.isDirectory === true ? item.getAsFileSystemHandle?.().catch(() => undefined) : undefined;
    return { entry, handle, file: item.getAsFile() };
  });
  if (dropped.length === 0) return Promise.resolve([...files].map((file) => ({ path: file.name, content: file })));
  return collect(dropped);
}

async function collect(dropped: readonly Dropped[]): Promise<GivenFile[]> {
  const found: GivenFile[] = [];
  for (const { entry, handle, file } of dropped) {
    const known = await handle;
    if (known?.kind === "directory") await walkHandle(known, `${known.name}/`, found);
    else if (entry?.isDirectory === true) await walkEntry(entry as FileSystemDirectoryEntry, `${entry.name}/`, found);
    else if (file !== null) take(found, file.name, file);
  }
  return found;
}

function take(found: GivenFile[], path: string, content: File): void {
  if (found.length >= MAX_FILES) {
    throw new Error(`The folder holds more than ${MAX_FILES} files: drop the manifest's own`);
  }
  found.push({ path, content });
}

/** The newer way, which also works where the page itself was opened as a file. */
async function walkHandle(folder: FolderHandle, path: string, found: GivenFile[]): Promise<void> {
  for await (const inner of folder.values()) {
    if (inner.kind === "directory") await walkHandle(inner, `${path}${inner.name}/`, found);
    else take(found, path + inner.name, await inner.getFile());
  }
}

/** The way of browsers without handles. */
async function walkEntry(folder: FileSystemDirectoryEntry, path: string, found: GivenFile[]): Promise<void> {
  const reader = folder.createReader();
  while (true) {
    // A reader gives some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const inner of some) {
      if (inner.isDirectory) await walkEntry(inner as FileSystemDirectoryEntry, `${path}${inner.name}/`, found);
      else {
        const file = await new Promise<File>((resolve, reject) => (inner as FileSystemFileEntry).file(resolve, reject));
        take(found, path + inner.name, file);
      }
    }
  }
}

/** Files of a chooser. */
export function chosen(id: string): GivenFile[] {
  return [...element<HTMLInputElement>(id).files ?? []].map((file) => ({ path: file.name, content: file }));
}
