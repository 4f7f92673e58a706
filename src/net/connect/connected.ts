/** A socket's connect has succeeded: options, events and reading follow. */
import { isReplacedAfterConnect, letNodeDrive } from '../handle/replaced';
import type { ErrorName } from '../../port/contract';
import { nameOfNumber, operationError } from '../node/errors';
import type { NetSocket } from '../node/internals';
import type { LinkedSocket, SocketLink } from '../socket/link';

/** The sides of a connection that are open. */
export interface Sides {
  readable: boolean;
  writable: boolean;
}

export const bothSides: Sides = { readable: true, writable: true };

/** The `oncomplete` of a connect by a handle's method, in the handle's words. */
export function answerInNumbers(settled: (error: ErrorName | null, sides: Sides) => void) {
  return (
    status: number,
    _handle: unknown,
    _request: unknown,
    readable: boolean,
    writable: boolean,
  ): void => settled(status === 0 ? null : nameOfNumber(status), { readable, writable });
}

/** As with Node, a failure is an 'error' that does not end the socket, and on Windows none. */
function applyTypeOfService(socket: NetSocket, link: SocketLink): void {
  if (link.typeOfService === undefined || link.kind === 'local') return;
  const error = link.setTypeOfService(link.typeOfService);
  if (error === null || error === 'EBADF' || process.platform === 'win32') return;
  socket.emit('error', operationError(error, 'setTypeOfService'));
}

/**
 * The socket is connected. Without a connection where someone has put a connect of his own into the
 * handle, and says that it is.
 */
export function becomeConnected(
  socket: LinkedSocket,
  link: SocketLink,
  { readable, writable }: Sides,
): void {
  const { connection, handle } = link;
  socket.connecting = false;
  socket._sockname = null;
  if (connection !== null) link.open(connection, 'connect');
  if (socket.readable && !readable) {
    socket.push(null);
    socket.read();
  }
  if (socket.writable && !writable) socket.end();
  socket._unrefTimer();
  if (link.noDelay) link.setNoDelay(true);
  if (link.keepAlive) link.setKeepAlive(true, link.keepAliveSettings);
  applyTypeOfService(socket, link);
  if (handle !== null && (connection === null || isReplacedAfterConnect(handle))) {
    letNodeDrive(socket, link, handle);
  }
  socket.emit('connect');
  socket.emit('ready');
  if (readable && !socket.isPaused()) socket.read(0);
}
