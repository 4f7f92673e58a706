/**
 * The errors of the `net` layer, in the shape Node gives them: operating system errors from the
 * port layer's names, and the few `ERR_*` errors that cannot be left to Node's own code.
 */
import { format, getSystemErrorMap } from 'node:util';
import { showCode } from '../../show-code';
import { bare } from '../bare';
import type { ErrorName } from '../../port/contract';

interface SystemError extends Error {
  errno: number;
  code: string;
  syscall: string;
  address?: string;
  port?: number;
  localAddress?: string;
  localPort?: number;
}

/** The end of a connection that an error message names after its operation. */
export interface Peer {
  address: string | undefined;
  port: number | undefined;
}

interface ErrorNumber {
  errno: number;
  description: string;
}

let numbers: Map<ErrorName, ErrorNumber> | undefined;

function readErrorNumbers(): Map<ErrorName, ErrorNumber> {
  const byName = new Map<ErrorName, ErrorNumber>();
  for (const [errno, [name, description]] of getSystemErrorMap()) {
    byName.set(name, { errno, description });
  }
  return byName;
}

function numberOf(name: ErrorName): ErrorNumber {
  numbers ??= readErrorNumbers();
  return numbers.get(name) ?? numbers.get('UNKNOWN') ?? { errno: -1, description: name };
}

/** Node's error number for an error's name; negative on every platform. */
export function errnoOf(name: ErrorName): number {
  return numberOf(name).errno;
}

/** An error's name, by Node's number for it. */
export function nameOfNumber(number: number): ErrorName {
  return getSystemErrorMap().get(number)?.[0] ?? 'UNKNOWN';
}

// What is seen on the stack ends where the error was asked for, as with Node's own.
function makeSystemError(
  message: string,
  name: ErrorName,
  syscall: string,
  below: (...args: never[]) => unknown,
): SystemError {
  const error = new Error(message) as SystemError;
  Error.captureStackTrace(error, below);
  error.errno = errnoOf(name);
  error.code = name;
  error.syscall = syscall;
  return error;
}

function addPeer(error: SystemError, peer: Peer): SystemError {
  // Node sets the address even where it is undefined, the port only where there is one.
  (error as { address?: string | undefined }).address = peer.address;
  if (peer.port) error.port = peer.port;
  return error;
}

function describePeer({ address, port }: Peer): string {
  if (port !== undefined && port > 0) return ` ${address}:${port}`;
  return address ? ` ${address}` : '';
}

/** `read ECONNRESET`: an operation of an established connection failed. */
export function operationError(name: ErrorName, syscall: string): Error {
  return makeSystemError(`${syscall} ${name}`, name, syscall, operationError);
}

/** `connect ECONNREFUSED 127.0.0.1:80 - Local (…)`: connecting, or binding before it, failed. */
export function endpointError(
  name: ErrorName,
  syscall: 'bind' | 'connect',
  peer: Peer,
  local?: string,
): Error {
  const suffix = local ? ` - Local (${local})` : '';
  const message = `${syscall} ${name}${describePeer(peer)}${suffix}`;
  return addPeer(makeSystemError(message, name, syscall, endpointError), peer);
}

/** `listen EADDRINUSE: address already in use :::80`: the error also says what its name means. */
export function listenError(name: ErrorName, peer: Peer): Error {
  const { errno, description } = numberOf(name);
  const error = new Error(
    `listen ${name}: ${description}${describePeer(peer)}`,
  ) as unknown as SystemError;
  Error.captureStackTrace(error, listenError);
  // Here the order of properties is the other way round, and printed errors show it.
  error.code = name;
  error.errno = errno;
  error.syscall = 'listen';
  return addPeer(error, peer);
}

/** Says from where a connect that failed had been bound. */
export function withLocalEndpoint(error: Error, localAddress: string, localPort: number): Error {
  return Object.assign(error, { localAddress, localPort });
}

/** All attempts of one connect failed; the first error's code stands for them. */
export function connectAggregateError(errors: readonly Error[]): AggregateError {
  const error = new AggregateError(errors);
  Error.captureStackTrace(error, connectAggregateError);
  const code = (errors[0] as NodeJS.ErrnoException | undefined)?.code;
  showCode(error, code);
  return Object.assign(error, { code });
}

type ErrorBase = new (message: string) => Error;

export function codedError(Base: ErrorBase, code: string, message: string): Error {
  const error = new Base(message) as NodeJS.ErrnoException;
  Error.captureStackTrace(error, codedError);
  showCode(error, code);
  const toString = (): string => `${error.name} [${code}]: ${error.message}`;
  Object.defineProperty(
    error,
    'toString',
    bare({ configurable: true, value: toString, writable: true }),
  );
  error.code = code;
  return error;
}

export const socketClosed = (): Error => codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed');

export const closedBeforeConnection = (): Error =>
  codedError(
    Error,
    'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
    'Socket closed before the connection was established',
  );

export const connectionTimeout = (): Error =>
  codedError(Error, 'ERR_SOCKET_CONNECTION_TIMEOUT', 'Socket connection timeout');

export const ipBlocked = (address: string): Error =>
  codedError(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`);

export const invalidIpAddress = (address: unknown): Error =>
  codedError(TypeError, 'ERR_INVALID_IP_ADDRESS', format('Invalid IP address: %s', address));

export const invalidAddressFamily = (family: unknown, host: unknown, port: unknown): Error =>
  Object.assign(
    codedError(
      RangeError,
      'ERR_INVALID_ADDRESS_FAMILY',
      `Invalid address family: ${String(family)} ${String(host)}:${String(port)}`,
    ),
    { host, port },
  );

export const cannotBeSent = (reason?: string): Error =>
  codedError(
    TypeError,
    'ERR_INVALID_HANDLE_TYPE',
    `This handle type cannot be sent${reason === undefined ? '' : `: ${reason}`}`,
  );

/** A connection had to go because of a limit of its server's or of the engine. */
export const limitExceeded = (limit: string, value: number): Error =>
  Object.assign(
    codedError(Error, 'ERR_IOCP_NET_LIMIT', `The connection exceeded the limit ${limit}: ${value}`),
    { limit },
  );

/** What native code of Node says of a string whose encoding is `'buffer'`. */
export const notABuffer = (): Error =>
  Object.assign(new TypeError('Second argument must be a buffer'), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
