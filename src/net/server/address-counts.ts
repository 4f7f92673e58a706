/** How many connections each remote network has: an IPv4 address, or a /64 of IPv6. */
import type { Endpoint } from '../../port/contract';

/** Groups of an IPv6 address that name its network. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));

/** The first 64 bits, and the zone, without which they mean nothing where they are link-local. */
function networkOfIPv6(address: string): string {
  const [numeric = '', zone = ''] = address.split('%');
  const [head = '', tail] = numeric.split('::');
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const last = groupsOf(tail);
    const zeros = Math.max(0, GROUPS - groups.length - last.length);
    groups.push(...new Array<string>(zeros).fill('0'), ...last);
  }
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}/64%${zone}`;
}

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** What connections from there are counted under. */
export function networkOf({ address, family }: Pick<Endpoint, 'address' | 'family'>): string {
  if (family === 'IPv4') return address;
  // A client of IPv4 at a socket that serves both.
  return mapped.exec(address)?.[1] ?? networkOfIPv6(address);
}

export class AddressCounts {
  readonly #counts = new Map<string, number>();

  count(network: string): number {
    return this.#counts.get(network) ?? 0;
  }

  add(network: string): void {
    this.#counts.set(network, this.count(network) + 1);
  }

  remove(network: string): void {
    const left = this.count(network) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }
}
