/** `socket.connect()`: checking what was asked for, and finding the addresses to dial. */
import type nodeDns from 'node:dns';
import * as nodeNet from '../node/node-net';
import type { SocketKind, Transport } from '../../port/contract';
import { bare } from '../bare';
import { connectingScope, nextTickOf } from '../node/async-scopes';
import { dialInTurn } from './attempt-series';
import { connectToPath } from './connect-path';
import { Dial } from './dial';
import type { Destination } from './attempt';
import { publishClientSocket } from './published';
import { invalidAddressFamily, invalidIpAddress } from '../node/errors';
import { nodeSocket } from '../node/internals';
import type { NetSocket, NormalizedArguments } from '../node/internals';
import { Phase } from '../socket/link';
import type { LinkedSocket, SocketLink } from '../socket/link';
import { SilentHandle, silentSocket } from '../handle/silent-handle';

/** The options of `connect()`, before anything was checked. */
export interface ConnectOptions {
  port?: unknown;
  path?: unknown;
  host?: string;
  localAddress?: string;
  localPort?: number;
  family?: number | 'IPv4' | 'IPv6';
  hints?: number;
  lookup?: LookupFunction | null;
  autoSelectFamily?: boolean | null;
  autoSelectFamilyAttemptTimeout?: number | null;
}

interface LookupSettings {
  family: number | undefined;
  hints: number;
  all?: boolean;
}

type LookupFunction = (
  host: string,
  settings: LookupSettings,
  callback: (error: Error | null, ...result: unknown[]) => void,
) => void;

interface LookupAddress {
  address: string;
  family: number;
}

/** Loaded with the first name that is looked up. */
const dns = (): typeof nodeDns => process.getBuiltinModule('node:dns');

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const isPort = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isInteger(value) && value >= 0 && value <= 65535
    : typeof value === 'string' && /^\d{1,5}$/.test(value) && Number(value) <= 65535;

const isPositiveInt32 = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 0x7fffffff;

const isHost = (value: unknown): boolean =>
  isAbsent(value) || (typeof value === 'string' && !value.includes('\0'));

function isPlainlyValid(options: ConnectOptions): boolean {
  if (options.path) return typeof options.path === 'string';
  return (
    isPort(options.port) &&
    isHost(options.host) &&
    (!options.localAddress || nodeNet.isIP(options.localAddress) !== 0) &&
    (!options.localPort || typeof options.localPort === 'number') &&
    (isAbsent(options.autoSelectFamily) || typeof options.autoSelectFamily === 'boolean') &&
    (isAbsent(options.autoSelectFamilyAttemptTimeout) ||
      isPositiveInt32(options.autoSelectFamilyAttemptTimeout)) &&
    (isAbsent(options.lookup) || typeof options.lookup === 'function')
  );
}

/**
 * Throws what Node throws for these options. Only Node knows that in each of its versions, so what
 * is not plainly valid is tried on a socket of Node's, which never gets as far as connecting.
 */
function validate(options: ConnectOptions): void {
  if (isPlainlyValid(options)) return;
  const scratch = silentSocket(new SilentHandle());
  scratch.on('error', () => {});
  const unanswered = isAbsent(options.lookup) || typeof options.lookup === 'function';
  const asked = unanswered
    ? (Object.create(options, bare({ lookup: bare({ value: () => {} }) })) as ConnectOptions)
    : options;
  try {
    (nodeSocket.connect as (options: object) => void).call(scratch, asked);
  } finally {
    scratch.destroy();
  }
}

/** Connects over the transport, to a path or to a port. */
export function connectOver(
  transport: Transport,
  socket: LinkedSocket,
  link: SocketLink,
  [options, callback]: NormalizedArguments<ConnectOptions>,
): void {
  publishClientSocket(socket, 'socket');
  if (callback !== null) socket.once('connect', callback);
  if (socket._parent?.connecting) return;
  if (options.port === undefined && isAbsent(options.path)) validate(options);
  // 'end' may have put Node's write-after-FIN in its place.
  const { write } = Object.getPrototypeOf(socket) as NetSocket;
  if (socket.write !== write) socket.write = write;
  if (link.phase === Phase.Idle) prepare(socket, link, options.path ? 'local' : 'tcp');
  socket._unrefTimer();
  socket.connecting = true;
  validate(options);
  const { path } = options;
  if (path) connectToPath(transport, socket, link, path as string);
  else lookUpAndDial(transport, socket, link, options);
}

function prepare(socket: LinkedSocket, link: SocketLink, kind: SocketKind): void {
  if (socket.destroyed) socket._peername = null;
  link.phase = Phase.Connecting;
  link.kind = kind;
  link.scope = connectingScope(socket, kind);
  socket._undestroy();
  socket._sockname = null;
  link.userBuffer?.renew();
}

function attemptTimeoutOf(options: ConnectOptions): number {
  const { autoSelectFamilyAttemptTimeout } = options;
  return isAbsent(autoSelectFamilyAttemptTimeout)
    ? nodeNet.getDefaultAutoSelectFamilyAttemptTimeout()
    : Math.max(10, Number(autoSelectFamilyAttemptTimeout));
}

function lookUpAndDial(
  transport: Transport,
  socket: LinkedSocket,
  link: SocketLink,
  options: ConnectOptions,
): void {
  const host = options.host || 'localhost';
  const { localAddress, localPort } = options;
  // One more connect() while one is under way: the later finds a connection and fails.
  const dial = new Dial(socket, link, transport, link.dial, {
    port: Number(options.port) | 0,
    localAddress,
    localPort,
    attemptTimeout: attemptTimeoutOf(options),
  });
  if (link.dial === null) link.dial = dial;
  const family = nodeNet.isIP(host);
  if (family !== 0) {
    const start = (): void => {
      if (dial.isCurrent) dial.single({ address: host, family: family as 4 | 6 });
    };
    if (link.scope === null) process.nextTick(start);
    else nextTickOf(link.scope.asyncId(), start);
    return;
  }
  socket._host = host;
  const settings = lookupSettingsOf(options);
  const lookup = options.lookup || dns().lookup;
  const start = (): void => {
    if (selectsFamily(options, settings)) {
      settings.all = true;
      lookUpAll(dial, lookup, host, settings, options);
    } else {
      lookUpOne(dial, lookup, host, settings, options);
    }
  };
  // What looks up is caused by the connection.
  if (link.scope === null) start();
  else link.scope.runInAsyncScope(start);
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

function lookUpOne(
  dial: Dial,
  lookup: LookupFunction,
  host: string,
  settings: LookupSettings,
  options: ConnectOptions,
): void {
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

function lookUpAll(
  dial: Dial,
  lookup: LookupFunction,
  host: string,
  settings: LookupSettings,
  options: ConnectOptions,
): void {
  const { socket } = dial;
  lookup(host, settings, (error, result) => {
    if (!dial.isCurrent) return;
    if (error) {
      socket.emit('lookup', error, undefined as never, undefined as never, host);
      failLater(socket, error);
      return;
    }
    const found = result as LookupAddress[];
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
    const error = found[0] && addressError(found[0], options);
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
  const rounds = Math.max(preferred.length, others.length);
  return Array.from({ length: rounds }, (_, round) => [preferred[round], others[round]])
    .flat()
    .filter((each) => each !== undefined);
}
