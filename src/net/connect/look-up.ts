/** Finding the addresses of a name, to dial them. */
import type { AsyncResource } from 'node:async_hooks';
import type nodeDns from 'node:dns';
import * as nodeNet from '../node/node-net';
import type { Destination } from './attempt';
import { dialInTurn } from './attempt-series';
import type { ConnectOptions, LookupFunction, LookupSettings } from './connect-options';
import type { Dial } from './dial';
import { invalidAddressFamily, invalidIpAddress } from '../node/errors';
import type { NetSocket } from '../node/internals';

interface LookupAddress {
  address: string;
  family: number;
}

/** Loaded with the first name that is looked up. */
const dns = (): typeof nodeDns => process.getBuiltinModule('node:dns');

/** One name, and how it is looked up. */
interface LookUp {
  lookup: LookupFunction;
  host: string;
  settings: LookupSettings;
  options: ConnectOptions;
}

/** Dials what the name stands for; destroys the socket where that is nothing. `scope`: the dial's. */
export function lookUpAndDial(
  dial: Dial,
  scope: AsyncResource | null,
  host: string,
  options: ConnectOptions,
): void {
  const settings = lookupSettingsOf(options);
  const lookup = options.lookup || dns().lookup;
  if (selectsFamily(options, settings)) settings.all = true;
  const lookUp = settings.all ? lookUpAll : lookUpOne;
  const start = (): void => lookUp(dial, { lookup, host, settings, options });
  // What looks up is caused by the connection.
  if (scope === null) start();
  else scope.runInAsyncScope(start);
}

const isFamily = (family: unknown): family is 4 | 6 => family === 4 || family === 6;

function lookupSettingsOf({ family, hints }: ConnectOptions): LookupSettings {
  const number = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
  const settings: LookupSettings = { family: number, hints: hints || 0 };
  if (process.platform !== 'win32' && !isFamily(number) && settings.hints === 0) {
    settings.hints = dns().ADDRCONFIG;
  }
  return settings;
}

function selectsFamily(options: ConnectOptions, { family }: LookupSettings): boolean {
  if (isFamily(family) || options.localAddress) return false;
  return options.autoSelectFamily ?? nodeNet.getDefaultAutoSelectFamily();
}

/** Destroys the socket one tick later: nobody can listen to a socket still being made. */
function failLater(socket: NetSocket, error: Error): void {
  process.nextTick(() => socket.destroy(error));
}

function addressError({ address, family }: LookupAddress, options: ConnectOptions): Error | null {
  if (typeof address !== 'string' || nodeNet.isIP(address) === 0) return invalidIpAddress(address);
  return isFamily(family) ? null : invalidAddressFamily(family, options.host, options.port);
}

function lookUpOne(dial: Dial, { lookup, host, settings, options }: LookUp): void {
  const { socket } = dial;
  lookup(host, settings, (lookupError, ...result) => {
    const [address, family] = result as [string, number];
    socket.emit('lookup', lookupError as Error, address, family, host);
    if (!dial.isCurrent) return;
    const error = lookupError ?? addressError({ address, family }, options);
    if (error) {
      failLater(socket, error);
      return;
    }
    socket._unrefTimer();
    dial.single({ address, family: family as 4 | 6 });
  });
}

function lookUpAll(dial: Dial, { lookup, host, settings, options }: LookUp): void {
  const { socket } = dial;
  lookup(host, settings, (error, result) => {
    if (!dial.isCurrent) return;
    if (error) {
      socket.emit('lookup', error, undefined as never, undefined as never, host);
      failLater(socket, error);
      return;
    }
    // A lookup that answers one address although it was asked for all gives a string: the letters of
    // it are no addresses, which is what is then said.
    const found = Array.from(result as ArrayLike<LookupAddress>);
    for (const { address, family } of found) {
      socket.emit('lookup', error as never, address, family, host);
      if (!dial.isCurrent) return;
    }
    dialAll(dial, found, options);
  });
}

function dialAll(dial: Dial, found: readonly LookupAddress[], options: ConnectOptions): void {
  const { socket } = dial;
  const destinations = alternate(found);
  const [first] = destinations;
  if (first === undefined) {
    // Of no addresses at all, it throws as Node does.
    const error = addressError(found[0] as LookupAddress, options);
    if (error) failLater(socket, error);
    return;
  }
  socket._unrefTimer();
  if (destinations.length === 1) dial.single(first);
  else dialInTurn(dial, destinations);
}

/** Each valid address once, families alternating, that of the first valid address first. */
function alternate(found: readonly LookupAddress[]): Destination[] {
  const valid = found.filter(
    ({ address, family }) => isFamily(family) && nodeNet.isIP(address) !== 0,
  ) as Destination[];
  const unique = valid.filter(
    ({ address }, index) => valid.findIndex((each) => each.address === address) === index,
  );
  const firstFamily = unique[0]?.family;
  const preferred = unique.filter(({ family }) => family === firstFamily);
  const others = unique.filter(({ family }) => family !== firstFamily);
  const longer = preferred.length > others.length ? preferred : others;
  return longer
    .flatMap((_, round) => [preferred[round], others[round]])
    .filter((each) => each !== undefined);
}
