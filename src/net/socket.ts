/**
 * The socket: Node's own `net.Socket`, constructed by Node, with the members that deal with the
 * connection replaced. What is not replaced (validation, `setTimeout()`, half-open handling,
 * `destroySoon()`, addresses, counters) is Node's and works on top of these.
 */
import * as nodeNet from 'node:net';
import type { Connection } from '../port/contract';
import { core, override, standOn } from './core';
import { kConnection, kLink, setAsyncId } from './internals';
import type { NetSocket } from './internals';
import { SocketLink } from './link';
import type { LinkOptions } from './link';
import { socketMembers } from './socket-members';
import { isOurHandle } from './tcp-handle';

interface SocketOptions extends LinkOptions {
  handle?: unknown;
  fd?: unknown;
  readable?: boolean;
  pauseOnCreate?: boolean;
  manualStart?: boolean;
  [kConnection]?: Connection;
}

/** Whether the options give the socket a handle or descriptor, which only Node can serve. */
function hasForeignHandle(options: SocketOptions | number | null | undefined): boolean {
  if (typeof options === 'number') return true;
  if (isOurHandle(options?.handle)) return false;
  return Boolean(options?.handle) || (options?.fd !== undefined && options !== null);
}

function startAccepted(
  socket: NetSocket,
  link: SocketLink,
  connection: Connection,
  options: SocketOptions | undefined,
): void {
  link.open(connection);
  setAsyncId(socket, connection.asyncId());
  link.userBuffer?.renew();
  if (options?.readable === false) return;
  if (options?.pauseOnCreate) socket.readableFlowing = false;
  else if (!options?.manualStart) socket.read(0);
}

/** `net.Socket`, its TCP connections on the completion core. */
const Socket = function (this: NetSocket, options?: SocketOptions): object | undefined {
  if (new.target === undefined && !(this instanceof Socket)) {
    return new Socket(options as nodeNet.SocketConstructorOpts);
  }
  const isOurs = core() !== null && !hasForeignHandle(options);
  const link = isOurs ? new SocketLink(this, options) : undefined;
  // Before Node's constructor: that already asks for the handle, and destroys the socket when its
  // signal is aborted.
  if (link !== undefined) this[kLink] = link;
  nodeNet.Socket.call(this as never, options as nodeNet.SocketConstructorOpts);
  // Node's constructor has put its own receiver in.
  if (isOurHandle(options?.handle)) options.handle.reader.receiveUnclaimed();
  const connection = options?.[kConnection];
  if (link !== undefined && connection !== undefined) {
    startAccepted(this, link, connection, options);
  }
  return undefined;
} as unknown as typeof nodeNet.Socket;

standOn(Socket, nodeNet.Socket);
override(Socket.prototype, socketMembers);

export { Socket };
