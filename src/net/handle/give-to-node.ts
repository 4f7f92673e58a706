/** Sockets of ours that go on with a handle of Node's own, which libuv serves. Not on Windows. */
import { ownSymbol } from '../../own-symbol';
import type { Connection } from '../../port/contract';
import { bare } from '../bare';
import { kLink, setAsyncId } from '../node/internals';
import { canChangeSides, nativeSocketHandle } from '../node/native-handle';
import type { NativeHandle } from '../node/native-handle';
import { Phase } from '../socket/link';
import type { LinkedSocket, SocketLink } from '../socket/link';
import { isReplacedAfterConnect } from './replaced';

/** From here on the socket is Node's; `native` has a duplicate of its descriptor. */
export function giveToNode(
  socket: LinkedSocket,
  link: SocketLink,
  connection: Connection,
  native: NativeHandle,
): void {
  link.release();
  connection.owner = null;
  connection.release();
  socket[kLink] = undefined;
  socket._handle = native;
}

type CountName = 'bytesRead' | 'bytesWritten';

/** What Node's handle is served for, in Node's own code. */
function serve(native: NativeHandle, socket: LinkedSocket): void {
  const owner = ownSymbol(native, 'owner_symbol');
  if (owner !== undefined) Reflect.set(native, owner, socket);
  setAsyncId(socket, native.getAsyncId());
}

/** The handle goes on counting where the connection has stopped. */
function countFrom(native: NativeHandle, counted: Pick<Connection, CountName>): void {
  const counts = Object.getPrototypeOf(native) as object;
  for (const name of ['bytesRead', 'bytesWritten'] as const) {
    const before = counted[name];
    if (before === 0) continue;
    const get = (): number => before + Number(Reflect.get(counts, name, native));
    Object.defineProperty(native, name, bare({ configurable: true, get }));
  }
}

/** Whether nothing but the connection itself would change hands. */
function canBeGiven(socket: LinkedSocket, { handle, phase, userBuffer }: SocketLink): boolean {
  if (!canChangeSides) return false;
  if (phase !== Phase.Open || userBuffer !== null || socket.writableLength !== 0) return false;
  return handle === null || !isReplacedAfterConnect(handle);
}

/**
 * The handle of Node's with which the socket goes on from here; null, and the socket as it was,
 * where something would be lost.
 */
export function nodeHandleOf(socket: LinkedSocket): NativeHandle | null {
  const link = socket[kLink];
  const connection = link?.connection;
  if (!link || !connection || !canBeGiven(socket, link)) return null;
  const { reading } = connection;
  const isReferenced = connection.hasRef();
  const fd = connection.quiesce() ? connection.duplicate() : null;
  if (typeof fd !== 'number') {
    if (reading) connection.startReading();
    return null;
  }
  const native = nativeSocketHandle(fd);
  giveToNode(socket, link, connection, native);
  serve(native, socket);
  countFrom(native, connection);
  native.reading = reading;
  if (!isReferenced) native.unref();
  if (reading) native.readStart();
  return native;
}
