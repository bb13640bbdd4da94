/**
 * Which ranks are on one host: sums and weights cross between hosts once for all ranks of a host. The ranks of a host are
 * numbered one after another, and the same number on every host, as mpirun and srun place them unless told otherwise;
 * where they are not, every rank counts as a host of its own.
 */
import { receiveMessage, sendMessage } from "./messages.ts";
import type { Transport } from "./transport.ts";

/** Where a rank is. */
export interface HostPlace {
  /** name of its host; absent where nobody asked */
  readonly host?: string;
}

/** Ranks by host: rank = host · perHost + number on the host. */
export class Hosts {
  /** number of hosts */
  readonly count: number;

  /**
   * @param size number of ranks
   * @param perHost ranks of each host
   */
  constructor(readonly size: number, readonly perHost: number) {
    this.count = size / perHost;
    if (!Number.isInteger(this.count)) throw new RangeError(`${size} ranks are no ${perHost} a host`);
  }

  /** The host of a rank. */
  hostOf(rank: number): number {
    return Math.floor(rank / this.perHost);
  }

  /** All ranks of a host, in order. */
  ranksOf(host: number): readonly number[] {
    return Array.from({ length: this.perHost }, (_, local) => host * this.perHost + local);
  }

  /** The ranks that have a rank's number on their hosts, itself among them, by host: what crosses goes among these. */
  columnOf(rank: number): readonly number[] {
    return Array.from({ length: this.count }, (_, host) => host * this.perHost + rank % this.perHost);
  }
}

/** Ranks of each host where all have as many, one after another, else 1. */
export function ranksPerHost(places: readonly HostPlace[]): number {
  const hosts = places.map(({ host }) => host);
  const [first] = hosts;
  if (first === undefined) return 1;
  const perHost = hosts.filter((host) => host === first).length;
  if (hosts.length % perHost !== 0 || hosts.includes(undefined)) return 1;
  const ofBlocks = new Set<string | undefined>();
  for (let block = 0; block < hosts.length; block += perHost) {
    if (ofBlocks.has(hosts[block])) return 1;
    ofBlocks.add(hosts[block]);
    if (hosts.slice(block, block + perHost).some((host) => host !== hosts[block])) return 1;
  }
  return perHost;
}

/** All ranks learn where all are; all call it at the same time. */
export async function agreeOnHosts(transport: Transport, place: HostPlace): Promise<Hosts> {
  const { rank, size } = transport;
  const what = "all ranks to say on which host they are";
  if (rank > 0) {
    await sendMessage(transport, [{ rank: 0, header: place }], what);
    const { header } = await receiveMessage(transport, 0, what);
    return new Hosts(size, (header as { readonly perHost: number }).perHost);
  }
  const places = [place];
  for (let other = 1; other < size; other++) {
    places.push((await receiveMessage(transport, other, what)).header as HostPlace);
  }
  const perHost = ranksPerHost(places);
  const parts = places.slice(1).map((_, i) => ({ rank: i + 1, header: { perHost } }));
  await sendMessage(transport, parts, what);
  return new Hosts(size, perHost);
}
