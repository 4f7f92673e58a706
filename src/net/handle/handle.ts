/** Giving a socket its `_handle`, and taking one that it is given. */
import { isAskedBySend } from '../ipc/asked-by-send';
import { Phase } from '../socket/link';
import type { SocketLink } from '../socket/link';
import type { NativeHandle } from '../node/native-handle';
import { nodeHandleOf } from './give-to-node';
import type { SocketHandle } from './handle-interface';
import { handleClass } from './handle-class';
import { isAskedByHttp2 } from './http2-on-node';

type Getter = ((this: never) => unknown) | undefined;

/**
 * The handle of a socket that has a connection, or is about to; null where it has none to show.
 * Whoever looks may go on to read the handle in native code.
 */
export function ownHandle(link: SocketLink): SocketHandle | null {
  if (link.phase === Phase.Idle) return null;
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

/** Node's own, from now on, where the one who looks is better served by it. */
function handleForHttp2(link: SocketLink, getter: Getter): NativeHandle | null {
  if (link.handle === null && isAskedByHttp2(getter)) link.goesToNode = true;
  if (!link.goesToNode || link.phase !== Phase.Open) return null;
  link.goesToNode = false;
  return nodeHandleOf(link.socket);
}

/** What the one sees who looks at `socket._handle`, by `getter`. */
export function showHandle(link: SocketLink, getter: Getter): SocketHandle | NativeHandle | null {
  if (link.phase === Phase.Idle || isAskedBySend(getter)) return null;
  return handleForHttp2(link, getter) ?? ownHandle(link);
}

/** Makes a handle the socket's own: it was another's, or is that of an accepted connection. */
export function takeHandle(link: SocketLink, handle: SocketHandle): void {
  const { connection } = handle;
  handle.link?.release();
  handle.join(link);
  link.handle = handle;
  if (connection !== null) link.open(connection, 'adopt');
}
