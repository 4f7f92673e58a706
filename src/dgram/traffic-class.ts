/** Of which class of traffic a datagram socket is, and so on which port of the engine it lives. */
import { notOneOf } from '../node-argument-errors';
import { trafficClasses, type DatagramClass } from '../traffic-class';

const datagramClasses = trafficClasses.filter((each) => each !== 'stream');

/**
 * What the socket is made with; undefined where that says nothing.
 * @throws `ERR_INVALID_ARG_VALUE`
 */
export function givenClass(options: unknown): DatagramClass | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  const { trafficClass } = options as { trafficClass?: unknown };
  if (trafficClass === undefined) return undefined;
  const found = datagramClasses.find((each) => each === trafficClass);
  if (found !== undefined) return found;
  throw notOneOf('options.trafficClass', trafficClass, datagramClasses);
}

const isMulticast = (address: string): boolean => {
  // The first group of an IPv6 address of which zeros are left out has fewer than four digits.
  if (address.includes(':')) return /^ff[0-9a-f]{2}:/i.test(address);
  const first = Number.parseInt(address, 10);
  return first >= 224 && first <= 239;
};

/** What the address that a socket is bound to says of it. */
export function classOfAddress(address: string): DatagramClass {
  if (address === '255.255.255.255') return 'broadcast';
  return isMulticast(address) ? 'multicast' : 'datagram';
}
