/** Giving a socket its `_handle`, and taking one that it is given. */
import { isAskedBySend } from '../ipc/asked-by-send';
import { Phase } from '../socket/link';
import type { SocketLink } from '../socket/link';
import type { SocketHandle } from './handle-interface';
import { handleClass } from './handle-class';

/**
 * The handle of a socket that has a connection, or is about to; null where it has none to show.
 * Whoever looks may go on to read the handle in native code.
 */
export function showHandle(
  link: SocketLink,
  getter: ((this: never) => unknown) | undefined,
): SocketHandle | null {
  if (link.phase === Phase.Idle || isAskedBySend(getter)) return null;
  if (link.handle === null) {
    const Handle = handleClass(link.kind);
    if (Handle === null) return null;
    link.handle = new Handle(null);
    link.handle.join(link);
  }
  const { connection } = link;
  if (connection !== null) link.handle.reader.takeOver(connection);
  return link.handle;
}

/** Makes a handle the socket's own: it was another's, or is that of an accepted connection. */
export function takeHandle(link: SocketLink, handle: SocketHandle): void {
  const { connection } = handle;
  handle.link?.release();
  handle.join(link);
  link.handle = handle;
  if (connection !== null) link.open(connection);
}
