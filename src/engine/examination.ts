/** What `doctor` finds: one thing a line, with the reason for each no. */

/** One line of the doctor's findings. */
export interface Finding {
  /** what was looked at: `engine exact`, `GPU` */
  readonly name: string;
  readonly good: boolean;
  /** what was found, or what is missing and what to do */
  readonly detail: string;
}

/** Looks at one thing; an error is the reason for a no. */
export async function examine(name: string, look: () => Promise<string> | string): Promise<Finding> {
  try {
    return { name, good: true, detail: await look() };
  } catch (error) {
    return { name, good: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
