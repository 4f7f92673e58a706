/**
 * The members of `net.Socket` with which a connection begins and ends. Here and in its siblings
 * `socket-stream.ts` and `socket-options.ts`, a socket without a link is served by Node (a handle, a
 * descriptor, or no core at all): then each member is Node's.
 */
import { ownSymbol } from '../../own-symbol';
import type { Connection } from '../../port/contract';
import type { ConnectOptions } from '../connect/connect-options';
import { core } from '../core';
import { answerSoon } from '../node/async-scopes';
import { cannotBeSent, socketClosed } from '../node/errors';
import { showHandle, takeHandle } from '../handle/handle';
import {
  isNormalized,
  kConnection,
  kLink,
  nodeAccessors,
  nodeGet,
  nodeSocket,
  normalizeArguments,
} from '../node/internals';
import type { NetSocket, NormalizedArguments, WriteCallback } from '../node/internals';
import { ClosingOwner, Phase, SocketLink } from './link';
import type { LinkedSocket } from './link';
import { isNetDenied } from '../node/permission';
import { isOurHandle } from '../handle/handle-class';
import type { SocketHandle } from '../handle/handle-interface';

type Connector = typeof import('../connect/connect');

let loaded: Connector | undefined;

/** How to connect: loaded with the first `connect()`, which many a program never calls. */
function connector(): Connector {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at first need
  return (loaded ??= require('../connect/connect') as Connector);
}

/** For each read and write of TLS, which has Node's handles. */
const nodeHandle = nodeAccessors._handle?.get as (this: NetSocket) => object | null;

function setNodeHandle(socket: NetSocket, handle: object | null): void {
  nodeAccessors._handle?.set?.call(socket, handle);
}

/** Ends the connection; `'close'` follows when it is closed. */
function closeConnection(socket: NetSocket, link: SocketLink, hadError: boolean): void {
  const { connection, dial, handle } = link;
  const reset = socket.resetAndClosing === true;
  socket.resetAndClosing = false;
  socket._sockname = null;
  if (handle !== null) {
    const closed = (): void => {
      dial?.cancelled();
      socket.emit('close', hadError);
    };
    if (reset) handle.reset(closed);
    else handle.close(closed);
    link.detach();
    return;
  }
  link.closed();
  link.detach();
  if (connection === null) {
    // The name was still being looked up. Node would close a handle now, which takes a turn.
    answerSoon(link.takeScope(), () => socket.emit('close', hadError));
    return;
  }
  connection.owner = new ClosingOwner(socket, hadError, dial);
  connection.close(reset);
}

/** Drops the connection without a word to the socket; what others know by its handle stays open. */
function dropConnection(link: SocketLink): void {
  if (link.handle !== null) {
    link.release();
    return;
  }
  const { connection } = link;
  link.detach();
  if (connection === null) return;
  connection.owner = null;
  connection.close(false);
}

/** As with Node, another socket's handle stays that socket's, and this one may use it, too. */
function shareHandle(
  socket: LinkedSocket,
  link: SocketLink | undefined,
  handle: SocketHandle,
): void {
  link?.release();
  socket[kLink] = undefined;
  setNodeHandle(socket, handle);
}

function clearTimeouts(socket: NetSocket | null | undefined): void {
  for (let each = socket; each; each = each._parent) clearSocketTimeout(each);
}

let timerSymbol: symbol | undefined;

/** Clears the timer of `setTimeout()`, which Node keeps under a symbol of its own. */
function clearSocketTimeout(socket: NetSocket): void {
  if (!socket.timeout) return;
  timerSymbol ??= ownSymbol(socket, 'timeout');
  if (timerSymbol === undefined) return;
  clearTimeout((socket as unknown as Record<symbol, NodeJS.Timeout | undefined>)[timerSymbol]);
}

function leaveServer(socket: NetSocket): void {
  const server = socket._server;
  if (!server) return;
  server._connections--;
  // Anything may have been put in the server's place.
  server._emitCloseIfDrained?.();
}

/** The link to connect by: undefined where Node is to connect. */
function linkToConnect(socket: LinkedSocket): SocketLink | undefined {
  const link = socket[kLink];
  if (isNetDenied()) {
    if (link !== undefined) {
      dropConnection(link);
      socket[kLink] = undefined;
    }
    return undefined;
  }
  if (link !== undefined || !socket.destroyed || core() === null) return link;
  // A socket that Node served has ended, and connects anew.
  setNodeHandle(socket, null);
  return (socket[kLink] = new SocketLink(socket, undefined));
}

function noteMissedHandle(link: SocketLink): void {
  if (link.handleMissed) return;
  link.handleMissed = true;
  process.nextTick(() => (link.handleMissed = false));
}

export const socketMembers: ThisType<LinkedSocket> & Record<string | symbol, unknown> = {
  get [kConnection](): Connection | null {
    return this[kLink]?.connection ?? null;
  },

  get _handle(): object | null {
    const link = this[kLink];
    if (link === undefined) return nodeHandle.call(this);
    const handle = showHandle(link, handleGetter);
    if (handle === null && link.phase === Phase.Open) noteMissedHandle(link);
    return handle;
  },

  set _handle(handle: object | null) {
    const link = this[kLink];
    if (isOurHandle(handle)) {
      if (link?.handle === handle) return;
      if (link?.phase !== Phase.Idle && handle.link !== null) {
        shareHandle(this, link, handle);
        return;
      }
      if (link !== undefined) dropConnection(link);
      setNodeHandle(this, null);
      takeHandle((this[kLink] ??= new SocketLink(this, undefined)), handle);
      return;
    }
    if (link !== undefined) {
      dropConnection(link);
      if (handle === null || handle === undefined) return;
      this[kLink] = undefined;
    }
    setNodeHandle(this, handle);
  },

  get pending(): boolean {
    const link = this[kLink];
    if (link === undefined) return nodeGet(this, 'pending');
    return link.phase === Phase.Idle || this.connecting;
  },

  get bytesRead(): number {
    const link = this[kLink];
    if (link === undefined) return nodeGet(this, 'bytesRead');
    return link.connection?.bytesRead ?? link.bytesRead;
  },

  get _bytesDispatched(): number {
    const link = this[kLink];
    if (link === undefined) return nodeAccessors._bytesDispatched?.get?.call(this) as number;
    return link.connection?.bytesWritten ?? link.bytesWritten;
  },

  // tls takes a socket without a handle for one not yet connected and waits for 'connect', as do
  // others who look for a handle; on a connected socket they would wait for ever.
  once(event: string | symbol, listener: (...args: unknown[]) => void): NetSocket {
    if (event === 'connect' && this[kLink]?.handleMissed === true) {
      process.nextTick(() => listener.call(this));
      return this;
    }
    return nodeSocket.once.call(this, event, listener) as unknown as NetSocket;
  },

  connect(...args: unknown[]): NetSocket {
    const normalized = (
      isNormalized(args[0]) ? args[0] : normalizeArguments(args)
    ) as NormalizedArguments<ConnectOptions>;
    const link = linkToConnect(this);
    const transport = core();
    if (link === undefined || transport === null) {
      return nodeSocket.connect.call(this as never, normalized as never) as unknown as NetSocket;
    }
    connector().connectOver(transport, this, link, normalized);
    return this;
  },

  _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const link = this[kLink];
    if (link === undefined) {
      nodeSocket._destroy.call(this as never, error, callback as WriteCallback);
      return;
    }
    this.connecting = false;
    clearTimeouts(this);
    if (link.phase === Phase.Idle) {
      callback(error);
      process.nextTick(() => this.emit('close'));
    } else {
      closeConnection(this, link, Boolean(error));
      callback(error);
    }
    leaveServer(this);
  },

  resetAndDestroy(): NetSocket {
    const link = this[kLink];
    if (link === undefined) nodeSocket.resetAndDestroy.call(this as never);
    else if (link.phase === Phase.Idle) this.destroy(socketClosed());
    else if (link.connection?.kind === 'local') throw cannotBeSent();
    else if (this.connecting) this.once('connect', () => this._reset());
    else this._reset();
    return this;
  },
};

const handleGetter = Object.getOwnPropertyDescriptor(socketMembers, '_handle')?.get;
