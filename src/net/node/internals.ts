/**
 * Node's members that are not in its documentation but that `node:net`, `node:http` and the
 * ecosystem read and call, and the symbols of ours.
 */
import { ownSymbol } from '../../own-symbol';
import * as nodeNet from './node-net';
import type { Connection, WriteChunk } from '../../port/contract';

/** A socket's side of its connection; absent where Node's own implementation serves the socket. */
export const kLink = Symbol('iocp-net.link');

/** The connection of a socket of ours (null while it has none); also passes accepted ones in. */
export const kConnection = Symbol('iocp-net.connection');

/** A server's limits (`../server/limits.ts`); absent where it has none. */
export const kLimits = Symbol('iocp-net.limits');

/** What a server asks of its connections' keep-alive beside Node's options; absent for nothing. */
export const kKeepAlive = Symbol('iocp-net.keepAlive');

/** Of a socket that a server with limits has let in: what they know of it. */
export const kAdmitted = Symbol('iocp-net.admitted');

export type WriteCallback = (error?: Error | null) => void;

export type WriteData = Buffer | Uint8Array | string;

interface SocketMembers {
  readonly [kConnection]: Connection | null;
  connecting: boolean;
  server: unknown;
  readableFlowing: boolean | null;
  autoSelectFamilyAttemptedAddresses: string[];
  blockList?: nodeNet.BlockList;
  resetAndClosing?: boolean;
  _aborted?: boolean;
  _handle: object | null;
  _host: string | null;
  _parent: NetSocket | null | undefined;
  _peername: object | null | undefined;
  _pendingData: WriteData | WriteChunk[] | null;
  _pendingEncoding: string;
  _readableState: { endEmitted: boolean; reading: boolean };
  _server: NetServer | null;
  _sockname: object | null;
  _final(callback: WriteCallback): void;
  _onTimeout(): void;
  _reset(): NetSocket;
  _undestroy(): void;
  _unrefTimer(): void;
  _write(data: WriteData, encoding: BufferEncoding, callback: WriteCallback): void;
  _writev(chunks: WriteChunk[], callback: WriteCallback): void;
  _writeGeneric(
    writev: boolean,
    data: WriteData | WriteChunk[],
    encoding: string,
    callback: WriteCallback,
  ): void;
}

/** A socket as the code of this layer sees it. */
export type NetSocket = Omit<nodeNet.Socket, keyof SocketMembers> & SocketMembers;

/** A socket that may have a link, and what the code at hand needs of it. */
export type SocketWith<Link> = NetSocket & { [kLink]?: Link | undefined };

interface ServerMembers {
  blockList?: nodeNet.BlockList;
  _connectionKey?: string;
  _connections: number;
  _handle: object | null;
  _unref: boolean;
  allowHalfOpen: boolean;
  highWaterMark: number;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  noDelay: boolean;
  pauseOnConnect: boolean;
  _emitCloseIfDrained(): void;
  _listen2(
    address: string | null,
    port: number | null,
    addressType: number | null,
    backlog: number | undefined,
    fd: number | undefined,
    flags: number | undefined,
  ): void;
}

/** A server as the code of this layer sees it. */
export type NetServer = nodeNet.Server & ServerMembers;

/** The arguments of `connect` and `listen` brought into one form, marked by Node as such. */
export type NormalizedArguments<Options> = [
  options: Options,
  callback: ((...args: unknown[]) => void) | null,
];

export const { normalizeArguments } = nodeNet;

/** Node's own implementation of a socket's members. */
export const nodeSocket = nodeNet.Socket.prototype as unknown as NetSocket;

export const nodeAccessors = Object.getOwnPropertyDescriptors(nodeSocket) as PropertyDescriptorMap;

/** What Node's own getter says. */
export function nodeGet<Name extends keyof NetSocket & string>(
  socket: NetSocket,
  name: Name,
): NetSocket[Name] {
  return nodeAccessors[name]?.get?.call(socket) as NetSocket[Name];
}

/** Node's own implementation of a server's members. */
export const nodeServer = nodeNet.Server.prototype as unknown as NetServer;

// The mark Node puts on normalized arguments is a symbol of its own; it says whether an array came
// from _normalizeArgs or from the caller.
const [normalizedMark] = Object.getOwnPropertySymbols(normalizeArguments([]));

export function isNormalized(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    normalizedMark !== undefined &&
    Boolean((value as unknown as Record<symbol, unknown>)[normalizedMark])
  );
}

let asyncIdSymbol: symbol | undefined;

/**
 * Node keeps the async id of a socket's or server's handle under a symbol of its own and names it
 * as the trigger of what it schedules.
 */
export function setAsyncId(target: object, asyncId: number): void {
  asyncIdSymbol ??= ownSymbol(target, 'async_id_symbol');
  if (asyncIdSymbol !== undefined) Reflect.set(target, asyncIdSymbol, asyncId);
}
