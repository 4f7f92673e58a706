/**
 * TLS over a socket of ours. Node's native TLS reads and writes a handle of ours by way of
 * JavaScript: for each record a request object, a copy and three calls, which for small answers was
 * 1.3 to 1.6 times the CPU of `node:https` (docs/performance.md). Encryption is most of what such a
 * connection costs, and no completion port makes it cheaper. So where a descriptor can change
 * sides, not on Windows, TLS gets Node's own handle, and the connection leaves the core.
 */
import type { LinkedSocket } from '../socket/link';
import { nodeHandleOf } from './give-to-node';

/** Of `tls.TLSSocket.prototype`: what wraps a handle for a TLS socket. */
interface TlsMembers {
  _wrapHandle(below: object | null, handle: object | null | undefined, ...rest: unknown[]): object;
}

/** From now on. The first look at a handle of ours comes before TLS wraps it. */
export function wrapTlsOnNode(): void {
  const { TLSSocket } = process.getBuiltinModule('node:tls');
  const members = TLSSocket.prototype as unknown as TlsMembers;
  const wrapHandle = members._wrapHandle;
  members._wrapHandle = function _wrapHandle(this: object, below, handle, ...rest) {
    const native =
      below === null || below === undefined ? null : nodeHandleOf(below as LinkedSocket);
    return wrapHandle.call(this, below, native ?? handle, ...rest);
  };
}
