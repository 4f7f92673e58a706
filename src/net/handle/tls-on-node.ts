/**
 * TLS over a socket of ours. Node's native TLS reads and writes a handle of ours by way of
 * JavaScript: for each record a request object, a copy and three calls, which for small answers was
 * 1.3 to 1.6 times the CPU of `node:https` (docs/lab-notebook.md). Encryption is most of what such a
 * connection costs, and no completion port makes it cheaper. So where a descriptor can change
 * sides, not on Windows, TLS gets Node's own handle, and the connection leaves the core.
 */
import { kAdmitted } from '../node/internals';
import type { NetSocket } from '../node/internals';
import type { AdmittedSocket } from '../server/admitted-socket';
import type { LinkedSocket } from '../socket/link';
import { nodeHandleOf } from './give-to-node';

/** Of `tls.TLSSocket.prototype`: what wraps a handle for a TLS socket. */
interface TlsMembers {
  _wrapHandle(
    this: NetSocket,
    below: object | null | undefined,
    handle: object | null | undefined,
    ...rest: unknown[]
  ): object;
}

type BelowTls = LinkedSocket & { readonly [kAdmitted]?: AdmittedSocket };

/**
 * From now on. The first look at a handle of ours comes before TLS wraps it. What limits the socket
 * below learns of the one above, on every platform.
 */
export function followTls(): void {
  const { TLSSocket } = process.getBuiltinModule('node:tls');
  const members = TLSSocket.prototype as unknown as TlsMembers;
  const wrapHandle = members._wrapHandle;
  members._wrapHandle = function _wrapHandle(this: NetSocket, below, handle, ...rest) {
    (below as BelowTls | null | undefined)?.[kAdmitted]?.secureBy(this);
    const native = below ? nodeHandleOf(below as BelowTls) : null;
    return wrapHandle.call(this, below, native ?? handle, ...rest);
  };
}
