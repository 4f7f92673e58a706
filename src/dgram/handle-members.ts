/**
 * The members that stand in front of those of Node's `UDP`, on handles that are ours. Node takes a
 * few of them from one handle to another (in a cluster, from ours to one of its own): there they are
 * Node's again.
 */
import type { DatagramOption } from '../port/contract';
import { errnoOf } from '../net/node/errors';
import type { DatagramHandle, SocketType } from './datagram-handle';
import type { NodeHandle, SendRequest } from './node-dgram';

export const kDatagrams = Symbol('iocp-net.datagrams');

export type OurHandle = NodeHandle & { [kDatagrams]?: DatagramHandle };

type AnyFunction = (this: unknown, ...parameters: unknown[]) => unknown;

/** By what Node's own have by the same name where a handle is not ours. */
type Members = Record<string, (this: OurHandle, ...parameters: never[]) => unknown>;

const ofOption =
  (option: DatagramOption) =>
  (datagrams: DatagramHandle, value: number): number =>
    datagrams.setOption(option, value);

const members = {
  connect: (datagrams: DatagramHandle, address: string, port: number) =>
    datagrams.connect(address, port),
  disconnect: (datagrams: DatagramHandle) => datagrams.disconnect(),
  recvStart: (datagrams: DatagramHandle) => datagrams.startReceiving(),
  recvStop: (datagrams: DatagramHandle) => datagrams.stopReceiving(),
  getsockname: (datagrams: DatagramHandle, out: object) => datagrams.localAddress(out),
  getpeername: (datagrams: DatagramHandle, out: object) => datagrams.peerAddress(out),
  addMembership: (datagrams: DatagramHandle, group: string, through: string | null | undefined) =>
    datagrams.joinGroup(true, String(group), undefined, through),
  dropMembership: (datagrams: DatagramHandle, group: string, through: string | null | undefined) =>
    datagrams.joinGroup(false, String(group), undefined, through),
  addSourceSpecificMembership: (
    datagrams: DatagramHandle,
    source: string,
    group: string,
    through: string | null | undefined,
  ) => datagrams.joinGroup(true, group, source, through),
  dropSourceSpecificMembership: (
    datagrams: DatagramHandle,
    source: string,
    group: string,
    through: string | null | undefined,
  ) => datagrams.joinGroup(false, group, source, through),
  setMulticastInterface: (datagrams: DatagramHandle, address: string) =>
    datagrams.setMulticastInterface(address),
  setMulticastTTL: ofOption('multicastTtl'),
  setMulticastLoopback: ofOption('multicastLoopback'),
  setBroadcast: ofOption('broadcast'),
  setTTL: ofOption('ttl'),
  bufferSize: (datagrams: DatagramHandle, bytes: number, ofReceive: boolean, context: object) =>
    datagrams.bufferSize(bytes, ofReceive, context),
  getSendQueueSize: (datagrams: DatagramHandle) => datagrams.queuedBytes,
  getSendQueueCount: (datagrams: DatagramHandle) => datagrams.queuedCount,
};

/** The same as methods of a handle. */
function asMethods(native: object, isIpv6: boolean): Members {
  const methods: Members = {};
  for (const [name, member] of Object.entries(members)) {
    const call = member as (datagrams: DatagramHandle, ...parameters: unknown[]) => unknown;
    const node = Reflect.get(
      native,
      isIpv6 && name === 'connect' ? 'connect6' : name,
    ) as AnyFunction;
    methods[name] = function (this: OurHandle, ...parameters: unknown[]): unknown {
      const datagrams = this[kDatagrams];
      if (datagrams === undefined) return node.apply(this, parameters);
      return call(datagrams, ...parameters);
    };
  }
  return methods;
}

/**
 * Sends, with the parameters of Node's: to a port and an address, or, without those two, to the
 * connected peer.
 */
function sendMember(native: NodeHandle, isIpv6: boolean) {
  const node = (isIpv6 ? native.send6 : native.send) as AnyFunction;
  return function send(
    this: OurHandle,
    request: SendRequest,
    chunks: Uint8Array[],
    count: number,
    port: number | boolean,
    address?: string,
    isAnswered?: boolean,
  ): unknown {
    const datagrams = this[kDatagrams];
    const isToPeer = typeof port === 'boolean';
    if (datagrams !== undefined) {
      if (isToPeer) return datagrams.send(request, chunks, null, 0, port);
      return datagrams.send(request, chunks, address as string, port, isAnswered === true);
    }
    if (isToPeer) return node.call(this, request, chunks, count, port);
    return node.call(this, request, chunks, count, port, address, isAnswered);
  };
}

function bindMember(native: NodeHandle, type: SocketType) {
  const node = (type === 'udp6' ? native.bind6 : native.bind) as AnyFunction;
  return function bind(this: OurHandle, address: string, port: number, flags: number): unknown {
    const datagrams = this[kDatagrams];
    if (datagrams === undefined) return node.call(this, address, port, flags);
    // Whatever the program gave as a port, native code makes a number of it.
    const refused = datagrams.bind(address, (port >>> 0) & 0xffff, flags);
    if (refused !== 'ENOSYS') return refused === null ? 0 : errnoOf(refused);
    giveBack(this, native, type);
    return node.call(this, address, port, flags);
  };
}

/** From here on the handle is Node's alone. */
export function giveBack(handle: OurHandle, native: NodeHandle, type: SocketType): void {
  delete handle[kDatagrams];
  Object.setPrototypeOf(handle, native);
  if (type === 'udp4') return;
  handle.bind = handle.bind6;
  handle.connect = handle.connect6;
  handle.send = handle.send6;
}

/** What only a handle of ours can be asked: nobody takes it to another. */
function lifeMembers(native: NodeHandle, type: SocketType) {
  return {
    /** A descriptor of somebody else's is libuv's to serve. */
    open(this: OurHandle, fd: number): number {
      // Two would close it, the second perhaps somebody else's.
      if (this[kDatagrams]?.isServed(fd)) return errnoOf('EEXIST');
      giveBack(this, native, type);
      return this.open(fd);
    },
    ref(this: OurHandle): void {
      native.ref.call(this);
      this[kDatagrams]?.ref();
    },
    unref(this: OurHandle): void {
      native.unref.call(this);
      this[kDatagrams]?.unref();
    },
    close(this: OurHandle, callback?: () => void): void {
      this[kDatagrams]?.close();
      native.close.call(this, callback);
    },
    get fd(): number {
      return (this as OurHandle)[kDatagrams]?.fd ?? -1;
    },
  };
}

/** A prototype for handles of ours of this type, on that of Node's. */
export function handlePrototype(native: NodeHandle, type: SocketType): object {
  const isIpv6 = type === 'udp6';
  const prototype = Object.create(native) as object;
  const methods = {
    ...asMethods(native, isIpv6),
    send: sendMember(native, isIpv6),
    bind: bindMember(native, type),
  };
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(methods));
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(lifeMembers(native, type)));
  return prototype;
}
