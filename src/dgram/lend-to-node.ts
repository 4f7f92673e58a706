/**
 * Datagram sockets on their way to another process, by `subprocess.send(message, socket)` and
 * `process.send(…)`. Node gives the socket's handle to native code, which sends the descriptor that
 * libuv has. So the handle gets one: a duplicate, which nobody here receives from or sends by. On
 * Windows Node sends no datagram sockets at all.
 */
import { environment } from '../environment';
import '../net/ipc/join-carriers';
import type { Carrier } from '../net/ipc/carrier';
import { operationError } from '../net/node/errors';
import { kDatagrams, type OurHandle } from './handle-members';
import { stateOf, type NodeHandle } from './node-dgram';

const lent = new WeakSet<OurHandle>();

function handleOf(entry: object): OurHandle | null {
  if (kDatagrams in entry) return entry as OurHandle;
  return stateOf(entry)?.handle ?? null;
}

function lend(handle: OurHandle): void {
  const datagrams = handle[kDatagrams];
  if (datagrams === undefined || lent.has(handle)) return;
  const fd = datagrams.duplicate();
  // Bound to nothing, it has nothing to send, as with Node.
  if (fd === 'EBADF') return;
  if (typeof fd === 'string') throw operationError(fd, 'dup');
  const ours = Object.getPrototypeOf(handle) as object;
  const native = Object.getPrototypeOf(ours) as NodeHandle;
  native.open.call(handle, fd);
  lent.add(handle);
}

const carrier: Carrier = {
  send(_channel, _send, [, handle]) {
    const ours = handleOf(handle as object);
    if (ours !== null && process.platform !== 'win32') lend(ours);
    // Node does the rest.
    return undefined;
  },
  duplicate: () => undefined,
};

/** Exported, so that it lives as long as this copy does. */
export const carrierOfDatagrams = (): Carrier => carrier;

environment().carriers?.all.push(new WeakRef(carrierOfDatagrams));
