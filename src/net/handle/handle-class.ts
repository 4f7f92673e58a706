/** The classes of `socket._handle`, made when someone first looks at one. */
import type { SocketKind } from '../../port/contract';
import type { SocketHandle, SocketHandleClass } from './handle-interface';
import { nativeStream } from './native-stream';
import { followTls } from './tls-on-node';

type HandleClasses = Record<SocketKind, SocketHandleClass>;

let classes: HandleClasses | null | undefined;

function makeClasses(): HandleClasses | null {
  if (nativeStream() === null) return null;
  followTls();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it stands on what was found
  return (require('./socket-handle') as typeof import('./socket-handle')).handleClasses;
}

/** Null where the running Node has no class to stand on. */
export function handleClass(kind: SocketKind): SocketHandleClass | null {
  if (classes === undefined) classes = makeClasses();
  return classes && classes[kind];
}

export function isOurHandle(value: unknown): value is SocketHandle {
  return classes ? value instanceof classes.tcp : false;
}
