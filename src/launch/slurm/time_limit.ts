/** Times as Slurm writes them. */

const DAY = 86_400;

/**
 * Seconds of a time limit; undefined for none (`UNLIMITED`, `INFINITE`, 0) and for what is no time.
 *
 * @see sbatch(1), `--time`: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes and
 * days-hours:minutes:seconds
 */
export function slurmSeconds(text: string): number | undefined {
  const [, dayText, rest = ""] = /^(?:(\d{1,6})-)?(\d{1,9}(?::\d{1,6}){0,2})$/.exec(text) ?? [];
  if (rest === "") return undefined;
  const parts = rest.split(":").map(Number);
  const [first = 0, second = 0, third = 0] = parts;
  const seconds = dayText !== undefined
    ? Number(dayText) * DAY + first * 3600 + second * 60 + third
    : parts.length === 3
    ? first * 3600 + second * 60 + third
    : first * 60 + second;
  return seconds === 0 ? undefined : seconds;
}

/** Seconds as `1-02:03:04`. */
export function slurmTime(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const days = Math.floor(seconds / DAY);
  const time = `${two((seconds % DAY) / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  return days === 0 ? time : `${days}-${time}`;
}
