/**
 * Methods of a handle in whose place others have put their own: tracers, proxies, and mocks that
 * complete a connect by themselves. They are asked where Node would ask the handle.
 */
import { kLink, nodeAccessors } from '../node/internals';
import { Phase } from '../socket/link';
import type { LinkedSocket, SocketLink } from '../socket/link';
import type { SocketHandle } from './handle-interface';
import { SilentHandle, silentSocket } from './silent-handle';

/** What a socket of Node's calls on its handle, by what for. */
export const handleMethods = {
  connecting: ['connect', 'connect6', 'bind', 'bind6'],
  reading: ['readStart', 'readStop'],
  writing: [
    ...['writeBuffer', 'writev', 'writeUtf8String'],
    ...['writeLatin1String', 'writeAsciiString', 'writeUcs2String'],
  ],
  ending: ['shutdown'],
  addresses: ['getsockname', 'getpeername'],
} as const satisfies Record<string, readonly string[]>;

const connectedMethods: readonly string[] = [
  ...handleMethods.reading,
  ...handleMethods.writing,
  ...handleMethods.ending,
  ...handleMethods.addresses,
];

export const allMethods: readonly string[] = [...handleMethods.connecting, ...connectedMethods];

type Members = Readonly<Record<string, unknown>>;

/** Whether one of the methods is not the handle's own. */
export function isReplaced(handle: SocketHandle, names: readonly string[]): boolean {
  const { ownMethods } = handle;
  const members = handle as unknown as Members;
  for (const name of names) if (members[name] !== ownMethods[name]) return true;
  return false;
}

type Use = Exclude<keyof typeof handleMethods, 'connecting'>;
type UsedMembers = Readonly<Record<(typeof handleMethods)[Use][number], unknown>>;

/**
 * The same for what every message asks. Each name stands by itself: a member by a name that changes
 * is looked up anew each time, and a write asks for six.
 */
const isReplacedFor: Record<Use, (handle: UsedMembers, own: UsedMembers) => boolean> = {
  reading: (handle, own) => handle.readStart !== own.readStart || handle.readStop !== own.readStop,
  writing: (handle, own) =>
    handle.writeUtf8String !== own.writeUtf8String ||
    handle.writeLatin1String !== own.writeLatin1String ||
    handle.writeBuffer !== own.writeBuffer ||
    handle.writev !== own.writev ||
    handle.writeAsciiString !== own.writeAsciiString ||
    handle.writeUcs2String !== own.writeUcs2String,
  ending: (handle, own) => handle.shutdown !== own.shutdown,
  addresses: (handle, own) =>
    handle.getsockname !== own.getsockname || handle.getpeername !== own.getpeername,
};

/** Whether Node has to drive a socket with this handle from its connect on. */
export const isReplacedAfterConnect = (handle: SocketHandle): boolean =>
  isReplaced(handle, connectedMethods);

let receiver: unknown;

/** What Node's sockets put into their handles to get what is read. */
function nodeReceiver(): unknown {
  if (receiver === undefined) {
    const handle = new SilentHandle();
    silentSocket(handle).destroy();
    receiver = handle.receiver;
  }
  return receiver;
}

/** From here on Node's own code drives the socket, through its handle. */
export function letNodeDrive(socket: LinkedSocket, link: SocketLink, handle: SocketHandle): void {
  link.release();
  socket[kLink] = undefined;
  handle.onread = nodeReceiver() as SocketHandle['onread'];
  nodeAccessors._handle?.set?.call(socket, handle);
}

/**
 * The socket's link, for what Node does by methods of the handle. Undefined where Node drives the
 * socket: from now on, if one of them was replaced.
 */
export function linkUnlessReplaced(socket: LinkedSocket, use: Use): SocketLink | undefined {
  const link = socket[kLink];
  if (link === undefined || link.handle === null || link.phase !== Phase.Open) return link;
  const { handle } = link;
  if (!isReplacedFor[use](handle as unknown as UsedMembers, handle.ownMethods)) return link;
  letNodeDrive(socket, link, handle);
  return undefined;
}
