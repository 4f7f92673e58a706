/** Puts our core behind the sockets of Node's `dgram`. */
import { core } from '../net/core';
import { isNetDenied } from '../net/node/permission';
import type { DatagramClass } from '../traffic-class';
import { DatagramHandle, type SocketType } from './datagram-handle';
import { handlePrototype, kDatagrams, type OurHandle } from './handle-members';
import { stateOf, type NodeHandle, type Socket } from './node-dgram';

const prototypes = new Map<SocketType, object>();

function prototypeFor(type: SocketType, handle: NodeHandle): object {
  const known = prototypes.get(type);
  if (known !== undefined) return known;
  const made = handlePrototype(Object.getPrototypeOf(handle) as NodeHandle, type);
  prototypes.set(type, made);
  return made;
}

/** A socket that Node has just made is on our core from here on, where there is one. */
export function takeOver(socket: Socket, trafficClass: DatagramClass | undefined): void {
  if (isNetDenied()) return;
  const transport = core();
  // Already aborted, it has none any more.
  const handle: OurHandle | null | undefined = stateOf(socket)?.handle;
  if (transport === null || !handle) return;
  const { type } = socket as Socket & { readonly type: SocketType };
  const prototype = prototypeFor(type, handle);
  handle[kDatagrams] = new DatagramHandle(transport, handle, type, trafficClass);
  // Node has put those of the other family there.
  for (const name of ['bind', 'connect', 'send']) Reflect.deleteProperty(handle, name);
  Object.setPrototypeOf(handle, prototype);
}
