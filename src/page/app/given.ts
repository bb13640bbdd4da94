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
    filesOf(dataTransfer).then(take, (error) => refuse(error instanceof Error ? error.message : String(error)));
  });
  // What is dropped beside the field would take the place of the page.
  for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());
}

/** All files of a drop; those of folders with their paths. */
async function filesOf({ items, files }: DataTransfer): Promise<GivenFile[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...files].map((file) => ({ path: file.name, content: file }));
  const found: GivenFile[] = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry: FileSystemEntry, folder: string, found: GivenFile[]): Promise<void> {
  if (found.length >= MAX_FILES) {
    throw new Error(`The folder holds more than ${MAX_FILES} files: drop the manifest's own`);
  }
  const path = folder + entry.name;
  if (entry.isFile) {
    const content = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path, content });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  while (true) {
    // A reader gives some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const inner of some) await walk(inner, `${path}/`, found);
  }
}

/** Files of a chooser. */
export function chosen(id: string): GivenFile[] {
  return [...element<HTMLInputElement>(id).files ?? []].map((file) => ({ path: file.name, content: file }));
}
