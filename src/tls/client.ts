/**
 * TLS clients on the core, on Windows.
 *
 * `tls.connect()` without a socket makes a TLS socket that connects by itself: Node gives it a TCP
 * handle of its own, wraps that, and drives it with the code of `net`. Here the handle is ours; all
 * else is Node's. The place is `TLSSocket.prototype._wrapHandle`, which takes a handle and makes one
 * only where it is given none.
 */
import type * as nodeTls from 'node:tls';
import { core } from '../net/core';
import { handleClass, isOurHandle } from '../net/handle/handle-class';
import type { SocketHandle } from '../net/handle/handle-interface';
import { isLoaded } from '../net/node/loaded-modules';
import { canChangeSides } from '../net/node/native-handle';
import { Socket } from '../net/socket/socket';

interface WrappedHandle {
  /** The handle below TLS. */
  _parent?: object | null;
}

interface TlsSocketMembers {
  _handle: WrappedHandle | null;
  _tlsOptions: { pipe?: boolean };
  _wrapHandle(
    socket: object | null,
    handle: { close(): void } | null | undefined,
    ...rest: unknown[]
  ): WrappedHandle;
}

enum Whose {
  Node,
  Ours,
}

/** Elsewhere TLS has Node's own handles: see `../net/handle/tls-on-node`. */
const isOnCore = !canChangeSides;

/** Whose handle a TLS socket gets that is made now. */
let whose = Whose.Node;
let isInstalled = false;

function newHandle(socket: TlsSocketMembers): SocketHandle | null {
  const isPath = Boolean(socket._tlsOptions.pipe);
  if (core() === null) return null;
  const Handle = handleClass(isPath ? 'local' : 'tcp');
  const handle = Handle && new Handle(null);
  handle?.serve(socket);
  return handle;
}

/** Before the next of several addresses is tried, Node makes a new handle in the old one's place. */
function isNextAttempt(socket: TlsSocketMembers): boolean {
  return isOurHandle(socket._handle?._parent);
}

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { TLSSocket } = process.getBuiltinModule('node:tls');
  const members = TLSSocket.prototype as unknown as TlsSocketMembers;
  const wrapHandle = members._wrapHandle;
  members._wrapHandle = function _wrapHandle(this: TlsSocketMembers, socket, given, ...rest) {
    let handle = given;
    if (!socket && (given ? isNextAttempt(this) : whose === Whose.Ours)) {
      handle = newHandle(this);
      if (handle === null) handle = given;
      else given?.close();
    }
    return wrapHandle.call(this, socket, handle, ...rest);
  };
}

/** What a TLS socket sets first of all, before it wraps its handle. */
const firstMember = '_tlsOptions';

/**
 * `tls` is loaded by those who need it. Its sockets then stand on ours, and the first one meets this
 * member on its prototype, once.
 */
function installWithFirstSocket(): void {
  Object.defineProperty(Socket.prototype, firstMember, {
    configurable: true,
    set(this: object, value: unknown) {
      Reflect.deleteProperty(Socket.prototype, firstMember);
      Reflect.set(this, firstMember, value);
      install();
    },
  });
}

/** From now on all TLS sockets that connect by themselves do so on the core; they stand on ours. */
export function connectTlsOnCore(): void {
  if (!isOnCore) return;
  if (isLoaded('tls')) install();
  else installWithFirstSocket();
  whose = Whose.Ours;
}

/** Those that `make` makes before it returns do. */
export function onCore<Result>(make: () => Result): Result {
  if (!isOnCore) return make();
  install();
  const before = whose;
  whose = Whose.Ours;
  try {
    return make();
  } finally {
    whose = before;
  }
}

export type TlsSocket = nodeTls.TLSSocket;
