/** The page's elements, by their ids in `page.html`. Text of others is only ever set as text. */

/** @throws {Error} if the page has no such element */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}"`);
  return found as T;
}

/** A new element with text in it. */
export function withText(tag: string, text: string, className = ""): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== "") made.className = className;
  return made;
}

/** Shows or hides elements. */
export function show(isShown: boolean, ...ids: readonly string[]): void {
  for (const id of ids) element(id).hidden = !isShown;
}

/** Says what is wrong in one sentence, or takes it back. */
export function tellProblem(message?: string): void {
  element("problem").textContent = message ?? "";
  show(message !== undefined, "problem");
  // What asked for it may stand far below.
  if (message !== undefined) element("problem").scrollIntoView({ block: "center" });
}

/** Says what is being done, for those who see and those who listen. */
export function tellWorking(message: string): void {
  element("working").textContent = message;
}
