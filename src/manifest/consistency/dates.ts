/** Which dates a manifest or an attestation can have. Web-standard APIs only. */

/** The day on which this project began: nothing of it was made before. */
const PROJECT_BEGAN = "2026-11-23T00:00:00Z";
/** How far the clocks of two machines may be apart, time zones taken for UTC included. */
const CLOCK_TOLERANCE_HOURS = 24;

/** Whether a date lies after all that the clock here, and one that goes wrong by a day, can show. */
export function isInFuture(date: string, now: number): boolean {
  return Date.parse(date) > now + CLOCK_TOLERANCE_HOURS * 3_600_000;
}

/**
 * Why nothing of this project can have been made at a date; `undefined` if it can.
 *
 * @param date ISO 8601 in UTC
 * @param now the clock here, in milliseconds since 1970
 */
export function dateFlaw(date: string, now: number): string | undefined {
  if (Date.parse(date) < Date.parse(PROJECT_BEGAN)) {
    return `${date}, before this project began (${PROJECT_BEGAN.slice(0, 10)})`;
  }
  return isInFuture(date, now) ? `${date}, in the future (it is ${new Date(now).toISOString()} here)` : undefined;
}
