/** Rank 0 among its ranks: what it tells them, and whether they still wait for its next command. */
import type { Command } from "./commands.ts";
import { sendMessage } from "./messages.ts";
import type { Transport } from "./transport.ts";

/** See above. */
export class Leader {
  /** numbers of the other ranks */
  readonly followers: readonly number[];
  #isInOrder = true;

  constructor(readonly transport: Transport) {
    this.followers = Array.from({ length: transport.size - 1 }, (_, i) => i + 1);
  }

  /** Sends a command to all others, with a payload for each. */
  async tell(command: Command, payload?: (rank: number) => Uint8Array): Promise<void> {
    const parts = this.followers.map((rank) => ({ rank, header: command, payload: payload?.(rank) }));
    await sendMessage(this.transport, parts, `"${command.kind}" to be told`);
  }

  /** Runs what all ranks do together. If it fails, some may be in the middle of it, and take no command any more. */
  async together<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      this.#isInOrder = false;
      throw error;
    }
  }

  /**
   * Lets all ranks end in order, this one too.
   *
   * @param code exit code of the others
   * @returns false if that cannot be: some rank failed, or does not answer
   */
  async end(code: number): Promise<boolean> {
    if (!this.#isInOrder) return false;
    await this.tell({ kind: "end", code });
    return await this.transport.close();
  }
}
