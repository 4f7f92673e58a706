/**
 * The socket: Node's own `net.Socket`, constructed by Node, with the members that deal with the
 * connection replaced. What is not replaced (validation, `setTimeout()`, half-open handling,
 * `destroySoon()`, addresses, counters) is Node's and works on top of these.
 */
import * as nodeNet from '../node/node-net';
import type { Connection } from '../../port/contract';
import { bare } from '../bare';
import { core, countQueuesOf, override, standOn, whenNodeServes } from '../core';
import { kConnection, kLink, setAsyncId } from '../node/internals';
import { SocketLink } from './link';
import type { LinkedSocket, LinkOptions } from './link';
import { adoptConnectionOf, isTcpHandle } from '../node/adopt-handle';
import { socketMembers } from './socket-members';
import { optionMembers } from './socket-options';
import { streamMembers } from './socket-stream';
import { isOurHandle } from '../handle/handle-class';

interface SocketOptions extends LinkOptions {
  handle?: unknown;
  fd?: unknown;
  readable?: boolean;
  pauseOnCreate?: boolean;
  manualStart?: boolean;
  [kConnection]?: Connection;
}

type SocketArgument = SocketOptions | number | null | undefined;

/** Whether the options bring a handle or descriptor that exists already. */
function bringsHandle(options: SocketArgument): boolean {
  if (typeof options === 'number') return true;
  if (isOurHandle(options?.handle)) return false;
  return Boolean(options?.handle) || (options?.fd !== undefined && options !== null);
}

// The standard streams stay Node's, which writes some of them synchronously.
const FIRST_DESCRIPTOR = 3;

/** The connection that the options bring; null where only Node can serve it. */
function broughtConnection(options: SocketArgument): Connection | null {
  const transport = core();
  if (transport === null) return null;
  const given: SocketOptions = typeof options === 'number' ? { fd: options } : (options ?? {});
  const { handle, fd } = bare({ ...given });
  if (handle) return isTcpHandle(handle) ? adoptConnectionOf(transport, handle) : null;
  const isUsable = typeof fd === 'number' && Number.isInteger(fd) && fd >= FIRST_DESCRIPTOR;
  if (!isUsable || process.platform === 'win32') return null;
  const connection = transport.adoptConnection({ handle: fd, duplicate: false });
  return typeof connection === 'string' ? null : connection;
}

/** The options with the connection in place of the handle that it came by. */
function withConnection(options: SocketArgument, connection: Connection): SocketOptions {
  const rest = typeof options === 'number' ? {} : options;
  return { ...rest, handle: undefined, fd: undefined, [kConnection]: connection };
}

function startAccepted(
  socket: LinkedSocket,
  link: SocketLink,
  connection: Connection,
  options: SocketOptions | undefined,
  origin: 'accept' | 'adopt',
): void {
  link.open(connection, origin);
  setAsyncId(socket, connection.scope.asyncId());
  link.userBuffer?.renew();
  if (options?.readable === false) return;
  if (options?.pauseOnCreate) socket.readableFlowing = false;
  else if (!options?.manualStart) socket.read(0);
}

/** `net.Socket`, its TCP connections on the completion core. */
const Socket = function (this: LinkedSocket, options?: SocketOptions): object | undefined {
  if (new.target === undefined && !(this instanceof Socket)) {
    return new Socket(options as nodeNet.SocketConstructorOpts);
  }
  if (core() === null && new.target !== undefined) {
    // In a runtime that is not Node it may be a class.
    return Reflect.construct(nodeNet.Socket, [options], new.target) as object;
  }
  const isForeign = bringsHandle(options);
  const brought = isForeign ? broughtConnection(options) : null;
  if (brought !== null) options = withConnection(options, brought);
  const isOurs = core() !== null && (!isForeign || brought !== null);
  const link = isOurs ? new SocketLink(this, options) : undefined;
  // Before Node's constructor: that already asks for the handle, and destroys the socket when its
  // signal is aborted. Set also where there is none: looked for in vain, a member costs more.
  this[kLink] = link;
  try {
    nodeNet.Socket.call(this as never, options as nodeNet.SocketConstructorOpts);
  } catch (error) {
    brought?.close(false); // taken over already, and nobody else will
    throw error;
  }
  // Node's constructor has put its own receiver in.
  if (isOurHandle(options?.handle)) options.handle.reader.receiveUnclaimed();
  const connection = options?.[kConnection];
  if (link !== undefined && connection !== undefined) {
    startAccepted(this, link, connection, options, brought === null ? 'accept' : 'adopt');
  }
  return undefined;
} as unknown as typeof nodeNet.Socket;

standOn(Socket, nodeNet.Socket);
override(Socket.prototype, socketMembers);
override(Socket.prototype, streamMembers);
override(Socket.prototype, optionMembers);
countQueuesOf(Socket.prototype);

type SendFile = typeof import('../send-file/send-file').sendFile;
type Arguments = Parameters<SendFile> extends [object, ...infer Rest] ? Rest : never;

function addSendFile(prototype: object): void {
  const value = function sendFile(this: object, ...args: Arguments): ReturnType<SendFile> {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs send files
    const { sendFile } = require('../send-file/send-file') as { sendFile: SendFile };
    return sendFile(this, ...args);
  };
  Object.defineProperty(prototype, 'sendFile', bare({ configurable: true, writable: true, value }));
}

addSendFile(Socket.prototype);
// What a server accepts is of Node's class then, and programs count on the method.
whenNodeServes(() => addSendFile(nodeNet.Socket.prototype));

export { Socket };
