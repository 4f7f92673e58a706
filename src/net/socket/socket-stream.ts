/** The members of `net.Socket` that make it a stream: reading, writing, and what waits in it. */
import { Duplex } from 'node:stream';
import type { WriteChunk } from '../../port/contract';
import { nodeMajor } from '../node/version';
import { closedBeforeConnection, notABuffer, operationError, socketClosed } from '../node/errors';
import { linkUnlessReplaced } from '../handle/replaced';
import { kLink, nodeGet, nodeSocket } from '../node/internals';
import type { NetSocket, WriteCallback, WriteData } from '../node/internals';
import { Phase } from './link';
import type { LinkedSocket, SocketLink } from './link';

// Node before 22 holds back `end()` until there is a connection, even when nobody connects.
const finalNeedsConnection = nodeMajor < 22;

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

export const streamMembers: ThisType<LinkedSocket> & Record<string, unknown> = {
  get bufferSize(): number | undefined {
    const link = this[kLink];
    if (link === undefined) return nodeGet(this, 'bufferSize');
    return link.phase === Phase.Idle ? undefined : this.writableLength;
  },

  _read(size: number): void {
    const link = linkUnlessReplaced(this, 'reading');
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
    const resumed: unknown = Duplex.prototype.resume.call(this as never);
    // What is handed over in the next tick may be stopped again. The stream reads in one, too, which
    // would start it anew; so that one comes first.
    if (link.userBuffer !== null) link.startReading();
    return resumed;
  },

  // Others replace `_writeGeneric` of a socket, to see all that is written.
  _write(data: WriteData, encoding: BufferEncoding, callback: WriteCallback): void {
    this._writeGeneric(false, data, encoding, callback);
  },

  _writev(chunks: WriteChunk[], callback: WriteCallback): void {
    this._writeGeneric(true, chunks, '', callback);
  },

  _writeGeneric(
    writev: boolean,
    data: WriteData | WriteChunk[],
    encoding: string,
    callback: WriteCallback,
  ): void {
    const link = linkUnlessReplaced(this, 'writing');
    if (link === undefined) nodeSocket._writeGeneric.call(this, writev, data, encoding, callback);
    else submit(this, link, writev, data, encoding, callback);
  },

  _final(callback: WriteCallback): void {
    const link = linkUnlessReplaced(this, 'ending');
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
};
