/**
 * Long runs of combining marks in canonical order, before the platform normalises them: it sorts each run by insertion,
 * so that a few hundred kilobytes of marks without a letter between them would take it minutes.
 *
 * @see Unicode Standard, section 3.11, Canonical Ordering Algorithm
 */

/** Shorter runs are left to the platform. */
const LONG_RUN = 64;
/** Found without a loop that the expression could lose itself in. */
const LONG_RUN_OF_MARKS = new RegExp(`\\p{M}{${LONG_RUN}}`, "u");
const MARK = /\p{M}/u;

/** A mark of the lowest combining class and one of the highest, U+0334 (1) and U+0345 (240). */
const LOWEST = "\u0334", HIGHEST = "\u0345";

/** Whether two marks change places in canonical order: the class of the second is lower, and neither is 0. */
function swaps(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") === second + first;
}

/** Whether a character has a combining class other than 0, so that others can move across it. */
function moves(mark: string): boolean {
  return swaps(mark, LOWEST) || swaps(HIGHEST, mark) || mark === LOWEST || mark === HIGHEST;
}

/** A character that moves has a rank from here on. */
const FIRST_RANK = 1;
/** Characters that are made into a string at once. */
const PIECE = 8192;

/**
 * The text with long runs of marks decomposed and in canonical order: canonically equivalent to it, so that its
 * normalisation forms are the same.
 */
export function orderLongRuns(text: string): string {
  if (!LONG_RUN_OF_MARKS.test(text)) return text;
  const pieces: string[] = [];
  let plain = 0, start = 0, marks = 0, at = 0;
  const endRun = () => {
    if (marks >= LONG_RUN) {
      pieces.push(text.slice(plain, start), ordered(text.slice(start, at)));
      plain = at;
    }
    marks = 0;
  };
  for (const character of text) {
    if (!MARK.test(character)) endRun();
    else if (marks++ === 0) start = at;
    at += character.length;
  }
  endRun();
  return pieces.join("") + text.slice(plain);
}

/** Marks decomposed one by one, and those that move sorted by their class, equals in their order. */
function ordered(run: string): string {
  const decomposed = new Map<string, readonly number[]>();
  let count = 0;
  for (const mark of run) {
    const parts = decomposed.get(mark) ?? Array.from(mark.normalize("NFD"), (part) => part.codePointAt(0) ?? 0);
    decomposed.set(mark, parts);
    count += parts.length;
  }
  const ranks = classRanks([...new Set([...decomposed.values()].flat())]);
  const points = new Uint32Array(count);
  let filled = 0;
  for (const mark of run) for (const point of decomposed.get(mark) ?? []) points[filled++] = point;
  const rankAt = (at: number) => ranks.get(points[at] ?? 0) ?? 0;
  for (let start = 0; start < count;) {
    let end = start;
    while (end < count && rankAt(end) >= FIRST_RANK) end++;
    sortByRank(points.subarray(start, end), ranks);
    start = end + 1;
  }
  const pieces: string[] = [];
  for (let at = 0; at < count; at += PIECE) pieces.push(String.fromCodePoint(...points.subarray(at, at + PIECE)));
  return pieces.join("");
}

/** A counting sort: equals stay in their order. */
function sortByRank(points: Uint32Array, ranks: ReadonlyMap<number, number>): void {
  const places = new Float64Array(2 + ranks.size);
  const unsorted = points.slice();
  for (const point of unsorted) places[(ranks.get(point) ?? 0) + 1] = (places[(ranks.get(point) ?? 0) + 1] ?? 0) + 1;
  for (let rank = 1; rank < places.length; rank++) places[rank] = (places[rank] ?? 0) + (places[rank - 1] ?? 0);
  for (const point of unsorted) {
    const rank = ranks.get(point) ?? 0;
    const place = places[rank] ?? 0;
    points[place] = point;
    places[rank] = place + 1;
  }
}

/** Marks that move, each with a number that grows with its class. */
function classRanks(points: readonly number[]): ReadonlyMap<number, number> {
  const sorted = points.map((point) => String.fromCodePoint(point)).filter(moves)
    .sort((a, b) => swaps(a, b) ? 1 : swaps(b, a) ? -1 : 0);
  const ranks = new Map<number, number>();
  let rank = FIRST_RANK;
  for (const [i, mark] of sorted.entries()) {
    if (i > 0 && swaps(mark, sorted[i - 1] ?? "")) rank++;
    ranks.set(mark.codePointAt(0) ?? 0, rank);
  }
  return ranks;
}
