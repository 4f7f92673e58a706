/** The limits that servers and the engine take. */
import { anyCount, checkInteger, longestTimer } from './check-integer';
import type { Range } from './check-integer';
import { bare } from './net/bare';
import { invalidType } from './node-argument-errors';

/**
 * What a server allows its clients: the option `limits` of `net.createServer()`, and of the servers
 * of `iocp-net/http`, `https`, `http2` and `tls`. Each member is an integer, and each is off where it
 * is absent.
 *
 * What goes beyond a limit is closed and counted (`engine.stats().drops`), and the server emits
 * `'drop'`, whose data then has `reason`: the limit's name. A connection that had been admitted is
 * destroyed with an Error whose `code` is `'ERR_IOCP_NET_LIMIT'` and whose `limit` is that name; with
 * no error where it has no listener for `'error'`, so that a limit never ends the process.
 *
 * @throws `ERR_INVALID_ARG_TYPE` for what is no object or no number, `ERR_OUT_OF_RANGE` for a number
 * that is no integer in the range; both by whatever makes the server.
 */
export interface ServerLimits {
  /**
   * Open connections, 0 to 2^53 - 1. As `server.maxConnections`, which stays as it is in Node, but
   * counted and with a reason. Costs one comparison for each connection.
   */
  connections?: number | undefined;
  /**
   * Open connections from one address, 1 to 2^53 - 1; of IPv6 from one /64. Not for local sockets,
   * which have none. Costs a system call and an entry in a table for each connection.
   */
  connectionsPerAddress?: number | undefined;
  /**
   * Connections admitted in a second, 1 to 1,000,000, in the long run. What the other limits turn
   * away does not count. Costs a look at the clock for each connection.
   */
  acceptsPerSecond?: number | undefined;
  /** Connections admitted at once after a quiet time, 1 to 1,000,000. Default `acceptsPerSecond`. */
  acceptBurst?: number | undefined;
  /**
   * Milliseconds, 1 to 2^31 - 1, in which no byte went in either direction. Noticed late by up to
   * half of it, never early. Costs a look at two counters for each connection, about four times in
   * that time, by one timer of the server, which does not hold the event loop.
   */
  idleMs?: number | undefined;
  /**
   * Milliseconds from when the connection was admitted, 1 to 2^31 - 1, in which no byte came from the
   * client. Noticed late by up to a quarter of it. Costs one look for each connection.
   */
  firstByteMs?: number | undefined;
  /**
   * Bytes, 1 to 2^53 - 1, that wait in one socket to be sent (`socket.writableLength`; of TLS the
   * bytes before encryption). Looked at in each `write()` and `end()` of this server's sockets. The
   * connection is reset, so that its memory is free at once.
   */
  queuedBytes?: number | undefined;
}

/** What a server of ours takes beside Node's options. */
export interface LimitOptions {
  /** Off by default. */
  limits?: ServerLimits | undefined;
}

/** What the engine allows all sockets of its thread of JavaScript together. */
export interface EngineLimits {
  /**
   * Bytes that wait in all sockets of the core to be sent, clients' included, 1 to 2^53 - 1. Beyond
   * it the socket with the longest queue is destroyed, until it holds. Off by default. Costs a
   * comparison in each `write()`.
   */
  queuedBytes?: number | undefined;
}

/** Why a limit of ours has dropped a connection: the limit's name; `totalQueuedBytes`: the engine's. */
export type LimitReason = Exclude<keyof ServerLimits, 'acceptBurst'> | 'totalQueuedBytes';

const highestRate = 1_000_000;

const serverRanges: Record<keyof ServerLimits, Range> = {
  connections: [0, anyCount],
  connectionsPerAddress: [1, anyCount],
  acceptsPerSecond: [1, highestRate],
  acceptBurst: [1, highestRate],
  idleMs: [1, longestTimer],
  firstByteMs: [1, longestTimer],
  queuedBytes: [1, anyCount],
};

const engineRanges: Record<keyof EngineLimits, Range> = { queuedBytes: [1, anyCount] };

function checked<Limits extends object>(
  given: unknown,
  ranges: Record<keyof Limits, Range>,
): Limits | null {
  if (given === undefined) return null;
  if (typeof given !== 'object' || given === null)
    throw invalidType('options.limits', 'object', given);
  const limits = bare<Record<string, unknown>>({ ...given });
  const found = bare<Record<string, unknown>>({});
  for (const [name, range] of Object.entries<Range>(ranges)) {
    if (limits[name] === undefined) continue;
    checkInteger(`options.limits.${name}`, limits[name], range);
    found[name] = limits[name];
  }
  return Object.keys(found).length === 0 ? null : (found as Limits);
}

/** The limits of a server, a copy; null where there is none. Throws for bad ones. */
export const checkServerLimits = (given: unknown): ServerLimits | null =>
  checked<ServerLimits>(given, serverRanges);

/** Those of the engine, likewise. */
export const checkEngineLimits = (given: unknown): EngineLimits | null =>
  checked<EngineLimits>(given, engineRanges);
