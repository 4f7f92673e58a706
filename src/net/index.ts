/**
 * `iocp-net`: the exports of `node:net`, those of the running Node, with sockets and servers on the
 * completion core.
 *
 * Each public name is a literal `exports.name`, so that `import { name }` finds it.
 *
 * @packageDocumentation
 */
import * as nodeNet from './node/node-net';
import { addMissing } from './node/builtin-exports';
import type { InstanceOf, NameOf } from './node/builtin-exports';
import type { LimitOptions, LimitReason } from '../limit-options';
import type { FileSending } from './send-file/options';
import type { KeepAliveOptions } from './socket/keep-alive-options';
import { publishClientSocket } from './connect/published';
import { normalizeArguments } from './node/internals';
import type { NetSocket } from './node/internals';
import { Server as NetServer } from './server/server';
import './ipc/join-carriers';
import { Socket as NetSocketConstructor } from './socket/socket';

export type * from 'node:net';

export const Socket = NetSocketConstructor as unknown as SocketConstructor;
export type Socket = nodeNet.Socket;
export const Stream = Socket;
export type Stream = nodeNet.Socket;
export const Server = NetServer as typeof nodeNet.Server &
  (new (
    options: ServerOpts,
    connectionListener?: (socket: FileSendingSocket) => void,
  ) => nodeNet.Server);
export type Server = nodeNet.Server;

/**
 * A socket that was made here. `Socket` is Node's type, so that sockets of Node's modules go where one
 * is wanted.
 */
export interface FileSendingSocket extends nodeNet.Socket, FileSending {}

interface SocketConstructor extends Omit<typeof nodeNet.Socket, 'prototype'> {
  new (options?: nodeNet.SocketConstructorOpts & KeepAliveOptions): FileSendingSocket;
  readonly prototype: FileSendingSocket;
}

export type {
  FileSending,
  FileSource,
  SendFileCallback,
  SendFileOptions,
} from './send-file/options';
export type { LimitOptions, LimitReason, ServerLimits } from '../limit-options';
export type { KeepAliveOptions } from './socket/keep-alive-options';
export interface ServerOpts extends nodeNet.ServerOpts, LimitOptions, KeepAliveOptions {}
/** What `'drop'` tells; `reason` where a limit of ours is why. */
export interface DropArgument extends nodeNet.DropArgument {
  reason?: LimitReason;
}

export const connect = function connect(...args: unknown[]): FileSendingSocket {
  const normalized = normalizeArguments<nodeNet.NetConnectOpts>(args);
  const [options] = normalized;
  const socket = new Socket(options);
  publishClientSocket(socket as unknown as NetSocket, 'net');
  if (options.timeout) socket.setTimeout(options.timeout);
  // Marked as normalized, the arguments pass through as they are.
  return (socket.connect as (normalized: unknown) => FileSendingSocket)(normalized);
} as {
  (
    options: nodeNet.NetConnectOpts & KeepAliveOptions,
    connectionListener?: () => void,
  ): FileSendingSocket;
  (port: number, host?: string, connectionListener?: () => void): FileSendingSocket;
  (path: string, connectionListener?: () => void): FileSendingSocket;
};
export const createConnection = connect;

type ServerArguments = ConstructorParameters<typeof nodeNet.Server>;

/** As `net.createServer()` of Node; `limits` says what its clients may take. */
export const createServer = function createServer(
  options: ServerArguments[0],
  connectionListener: ServerArguments[1],
): nodeNet.Server {
  return new Server(options, connectionListener);
} as {
  (connectionListener?: (socket: FileSendingSocket) => void): nodeNet.Server;
  (options?: ServerOpts, connectionListener?: (socket: FileSendingSocket) => void): nodeNet.Server;
};

export const {
  isIP,
  isIPv4,
  isIPv6,
  getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = nodeNet;

type Net = typeof import('node:net');
export declare const BlockList: Net['BlockList'];
export type BlockList = nodeNet.BlockList;
export declare const SocketAddress: Net['SocketAddress'];
export type SocketAddress = nodeNet.SocketAddress;
export declare const BoundSocket: NameOf<Net, 'BoundSocket'>;
export type BoundSocket = InstanceOf<typeof BoundSocket>;
// What Node makes at first use (BlockList, SocketAddress) and what only some Nodes have
// (_setSimultaneousAccepts, BoundSocket, what is to come) is copied as the running one has it.
addMissing(exports as object, process.getBuiltinModule('node:net'));
