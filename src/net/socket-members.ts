/**
 * The members of `net.Socket` that deal with the connection. A socket without a link is served by
 * Node (a handle, a descriptor, or no core at all): then each is Node's.
 */
import type * as nodeNet from 'node:net';
import { Duplex } from 'node:stream';
import type { Connection, WriteChunk } from '../port/contract';
import { connectOver } from './connect';
import type { ConnectOptions } from './connect';
import { core, nodeMajor } from './core';
import {
  cannotBeSent,
  closedBeforeConnection,
  notABuffer,
  operationError,
  socketClosed,
} from './errors';
import { showHandle, takeHandle } from './handle';
import { isNormalized, kConnection, kLink, nodeSocket, normalizeArguments } from './internals';
import type { NetSocket, NormalizedArguments, WriteCallback, WriteData } from './internals';
import { isSameKeepAlive, keepAliveRequest } from './keep-alive';
import { ClosingOwner, Phase, SocketLink } from './link';
import { isNetDenied } from './permission';
import { isOurHandle } from './tcp-handle';

const nodeAccessors = Object.getOwnPropertyDescriptors(nodeSocket) as PropertyDescriptorMap;

function nodeGet<Name extends keyof NetSocket & string>(
  socket: NetSocket,
  name: Name,
): NetSocket[Name] {
  return nodeAccessors[name]?.get?.call(socket) as NetSocket[Name];
}

function setNodeHandle(socket: NetSocket, handle: object | null): void {
  nodeAccessors._handle?.set?.call(socket, handle);
}

// Node before 22 holds back `end()` until there is a connection, even when nobody connects.
const finalNeedsConnection = nodeMajor < 22;

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
    const scope = link.takeScope();
    setImmediate(() => {
      socket.emit('close', hadError);
      scope?.emitDestroy();
    });
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

function clearTimeouts(socket: NetSocket | null | undefined): void {
  for (let each = socket; each; each = each._parent) clearSocketTimeout(each);
}

/** Clears the timer of `setTimeout()`, which Node keeps out of reach, by Node's own hand. */
function clearSocketTimeout(socket: NetSocket): void {
  if (!socket.timeout) return;
  const undestroyed = Object.create(socket, {
    destroyed: { value: false },
    timeout: { value: 0, writable: true },
  }) as NetSocket;
  nodeSocket.setTimeout.call(undestroyed as never, 0);
}

function leaveServer(socket: NetSocket): void {
  const server = socket._server;
  if (!server) return;
  server._connections--;
  // Anything may have been put in the server's place.
  server._emitCloseIfDrained?.();
}

/** Holds a write back until the socket is connected; the stream sends one at a time. */
function writeWhenConnected(
  socket: NetSocket,
  writev: boolean,
  data: WriteData | WriteChunk[],
  encoding: string,
  callback: WriteCallback,
): void {
  // Node's bytesWritten counts these.
  socket._pendingData = data;
  socket._pendingEncoding = encoding;
  const onClose = (): void => callback(closedBeforeConnection());
  socket.once('connect', () => {
    socket.off('close', onClose);
    socket._pendingData = null;
    socket._pendingEncoding = '';
    socket._writeGeneric(writev, data, encoding, callback);
  });
  socket.once('close', onClose);
}

function submit(
  socket: NetSocket,
  link: SocketLink,
  writev: boolean,
  data: WriteData | WriteChunk[],
  encoding: string,
  callback: WriteCallback,
): void {
  if (socket.connecting) {
    writeWhenConnected(socket, writev, data, encoding, callback);
    return;
  }
  const { connection } = link;
  if (connection === null) {
    callback(link.handle ? operationError(link.handle.writeError, 'write') : socketClosed());
    return;
  }
  if (typeof data === 'string' && encoding === 'buffer') throw notABuffer();
  socket._unrefTimer();
  if (writev) link.writev(connection, data as WriteChunk[], callback);
  else link.write(connection, data as WriteData, encoding as BufferEncoding, callback);
}

/** The link to connect by: undefined where Node is to connect. */
function linkToConnect(socket: NetSocket): SocketLink | undefined {
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

function setReferenced(socket: NetSocket, link: SocketLink, referenced: boolean): void {
  if (link.phase === Phase.Idle) {
    socket.once('connect', referenced ? socket.ref : socket.unref);
    return;
  }
  link.setReferenced(referenced);
}

/** What `Socket.prototype` puts in front of Node's. */
export const socketMembers: ThisType<NetSocket> & Record<string | symbol, unknown> = {
  get [kConnection](): Connection | null {
    return this[kLink]?.connection ?? null;
  },

  get _handle(): object | null {
    const link = this[kLink];
    if (link === undefined) return nodeGet(this, '_handle');
    const handle = showHandle(link, handleGetter);
    if (handle === null && link.phase === Phase.Open) noteMissedHandle(link);
    return handle;
  },

  set _handle(handle: object | null) {
    const link = this[kLink];
    if (isOurHandle(handle)) {
      if (link?.handle === handle) return;
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

  get bufferSize(): number | undefined {
    const link = this[kLink];
    if (link === undefined) return nodeGet(this, 'bufferSize');
    return link.phase === Phase.Idle ? undefined : this.writableLength;
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
    connectOver(transport, this, link, normalized);
    return this;
  },

  _read(size: number): void {
    const link = this[kLink];
    if (link === undefined) {
      nodeSocket._read.call(this as never, size);
      return;
    }
    if (link.phase === Phase.Open) link.startReading();
    else this.once('connect', () => this._read(size));
  },

  read(size?: number): unknown {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.read.call(this as never, size);
    if (link.userBuffer !== null) link.startReading();
    return Duplex.prototype.read.call(this as never, size);
  },

  pause(): unknown {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.pause.call(this as never);
    link.stopUserBuffer();
    return Duplex.prototype.pause.call(this as never);
  },

  resume(): unknown {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.resume.call(this as never);
    if (link.userBuffer !== null) link.startReading();
    return Duplex.prototype.resume.call(this as never);
  },

  _write(data: WriteData, encoding: BufferEncoding, callback: WriteCallback): void {
    const link = this[kLink];
    if (link === undefined) nodeSocket._write.call(this, data, encoding, callback);
    else submit(this, link, false, data, encoding, callback);
  },

  _writev(chunks: WriteChunk[], callback: WriteCallback): void {
    const link = this[kLink];
    if (link === undefined) nodeSocket._writev.call(this, chunks, callback);
    else submit(this, link, true, chunks, '', callback);
  },

  _writeGeneric(
    writev: boolean,
    data: WriteData | WriteChunk[],
    encoding: string,
    callback: WriteCallback,
  ): void {
    const link = this[kLink];
    if (link === undefined) nodeSocket._writeGeneric.call(this, writev, data, encoding, callback);
    else submit(this, link, writev, data, encoding, callback);
  },

  _final(callback: WriteCallback): void {
    const link = this[kLink];
    if (link === undefined) {
      nodeSocket._final.call(this, callback);
      return;
    }
    if (finalNeedsConnection ? this.pending : this.connecting) {
      this.once('connect', () => this._final(callback));
      return;
    }
    if (link.connection === null) callback();
    else link.shutdown(link.connection, callback);
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

  _onTimeout(): void {
    const link = this[kLink];
    if (link === undefined) {
      nodeSocket._onTimeout.call(this);
      return;
    }
    const { connection, lastWriteQueueSize } = link;
    if (connection !== null && lastWriteQueueSize > 0) {
      const { writeQueueSize } = connection;
      if (writeQueueSize !== lastWriteQueueSize) {
        link.lastWriteQueueSize = writeQueueSize;
        this._unrefTimer();
        return;
      }
    }
    if (!this.destroyed) this.emit('timeout');
  },

  setNoDelay(enable?: boolean): NetSocket {
    const link = this[kLink];
    if (link === undefined) {
      return nodeSocket.setNoDelay.call(this as never, enable) as unknown as NetSocket;
    }
    const wanted = enable === undefined ? true : Boolean(enable);
    const changes = wanted !== link.noDelay;
    link.noDelay = wanted;
    if (changes) link.setNoDelay(wanted);
    return this;
  },

  setKeepAlive(...args: Parameters<nodeNet.Socket['setKeepAlive']>): NetSocket {
    const link = this[kLink];
    if (link === undefined) {
      return nodeSocket.setKeepAlive.apply(this as never, args) as unknown as NetSocket;
    }
    const { enable, settings } = keepAliveRequest(args);
    const changes =
      enable !== link.keepAlive || (enable && !isSameKeepAlive(settings, link.keepAliveSettings));
    link.keepAlive = enable;
    link.keepAliveSettings = settings;
    if (changes) link.setKeepAlive(enable, settings);
    return this;
  },

  ref(): NetSocket {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.ref.call(this as never) as unknown as NetSocket;
    setReferenced(this, link, true);
    return this;
  },

  unref(): NetSocket {
    const link = this[kLink];
    if (link === undefined) return nodeSocket.unref.call(this as never) as unknown as NetSocket;
    setReferenced(this, link, false);
    return this;
  },

  _getpeername(): object {
    const link = this[kLink];
    if (link === undefined) return (nodeSocket as unknown as Names)._getpeername.call(this);
    if (this._peername) return this._peername;
    if (link.phase !== Phase.Open || link.connection === null) return {};
    const endpoint = link.connection.peerEndpoint();
    if (typeof endpoint === 'string') return {};
    return (this._peername = endpoint);
  },

  _getsockname(): object {
    const link = this[kLink];
    if (link === undefined) return (nodeSocket as unknown as Names)._getsockname.call(this);
    if (link.connection === null) return {};
    if (this._sockname) return this._sockname;
    const endpoint = link.connection.localEndpoint();
    return (this._sockname = typeof endpoint === 'string' ? {} : endpoint);
  },
};

const handleGetter = Object.getOwnPropertyDescriptor(socketMembers, '_handle')?.get;

interface Names {
  _getpeername(this: NetSocket): object;
  _getsockname(this: NetSocket): object;
}
