/**
 * A datagram socket of ours behind a handle of Node's. Node's `dgram.Socket` makes the handle and
 * calls it; the handle itself stays unbound, so that libuv has nothing to do for it. It goes on
 * being what names the socket elsewhere: in `async_hooks`, and among what holds the process.
 */
import { AsyncResource } from 'node:async_hooks';
import { getSystemErrorMap } from 'node:util';
import type {
  DatagramOption,
  DatagramOwner,
  DatagramSocket,
  ErrorName,
  Transport,
} from '../port/contract';
import { errnoOf } from '../net/node/errors';
import { endpointInto, statusOf } from '../net/node/handle-answers';
import { setAsyncId } from '../net/node/internals';
import * as nodeNet from '../net/node/node-net';
import type { DatagramClass } from '../traffic-class';
import { classOfAddress } from './traffic-class';
import { bindFlags, type NodeHandle, type Sender, type SendRequest } from './node-dgram';

export type SocketType = 'udp4' | 'udp6';

/** The most that native code of Node's takes for a size. */
const MOST_BYTES = 0x7fffffff;

/**
 * A resource with the async id of another, for what that one would have called. It exists for a
 * moment under an id of its own, which hooks may see.
 */
function scopeOf(handle: NodeHandle): AsyncResource {
  const scope = new AsyncResource('IOCPNETDATAGRAMS', { requireManualDestroy: true });
  scope.emitDestroy();
  setAsyncId(scope, handle.getAsyncId());
  return scope;
}

/** What Node's native code writes of an error into an object that it is given. */
function describeInto(target: object, name: ErrorName, syscall: string): void {
  const errno = errnoOf(name);
  const message = getSystemErrorMap().get(errno)?.[1] ?? name;
  Object.assign(target, { errno, code: name, message, syscall });
}

/** With a zone or without; that is looked at later. */
const isAddress = (text: string): boolean => nodeNet.isIP(text.replace(/%.*/, '')) !== 0;

/** What the system says of the buffers of a socket that does not exist yet. */
const noSocket: ErrorName = process.platform === 'win32' ? 'ENOTSOCK' : 'EBADF';

/** What libuv refuses before it looks whether there is a descriptor. */
function isOutOfRange(option: DatagramOption, value: number): boolean {
  if (option === 'broadcast') return false;
  if (option === 'ttl') return value < 1 || value > 255;
  if (process.platform !== 'win32') return value < 0 || value > 255;
  return option === 'multicastTtl' && (value < -1 || value > 255);
}

/** As Node's native `send` answers. */
function statusOfSent(sent: number | ErrorName | undefined): number {
  if (sent === undefined) return 0;
  return typeof sent === 'number' ? sent + 1 : errnoOf(sent);
}

export class DatagramHandle implements DatagramOwner {
  readonly #transport: Transport;
  readonly #handle: NodeHandle;
  readonly #type: SocketType;
  /** Undefined: what it is bound to says. */
  readonly #trafficClass: DatagramClass | undefined;
  readonly #scope: AsyncResource;
  #socket: DatagramSocket | null = null;
  #refed = true;

  constructor(
    transport: Transport,
    handle: NodeHandle,
    type: SocketType,
    trafficClass: DatagramClass | undefined,
  ) {
    this.#transport = transport;
    this.#handle = handle;
    this.#type = type;
    this.#trafficClass = trafficClass;
    this.#scope = scopeOf(handle);
  }

  // --- What Node's socket asks for

  /** `'ENOSYS'`: this core has no datagram sockets. */
  bind(address: string, port: number, flags: number): ErrorName | null {
    if (!this.#isOfType(address)) return 'EINVAL';
    // Joining a group has bound it. libuv leaves it so on Windows; elsewhere the system refuses.
    if (this.#socket !== null) return process.platform === 'win32' ? null : 'EINVAL';
    return this.#bindTo(address, port, flags, classOfAddress(address));
  }

  #bindTo(address: string, port: number, flags: number, inferred: DatagramClass): ErrorName | null {
    const settings = {
      address,
      port,
      ipv6Only: (flags & bindFlags.ipv6Only) !== 0,
      reuseAddress: (flags & bindFlags.reuseAddress) !== 0,
      reusePort: (flags & bindFlags.reusePort) !== 0,
      trafficClass: this.#trafficClass ?? inferred,
    };
    const bound = this.#transport.bindDatagrams(settings, this);
    if (typeof bound === 'string') return bound;
    this.#socket = bound;
    if (!this.#refed) bound.unref();
    return null;
  }

  #isOfType(address: string): boolean {
    return this.#type === 'udp6' ? nodeNet.isIPv6(address) : nodeNet.isIPv4(address);
  }

  connect(address: string, port: number): number {
    if (!this.#isOfType(address)) return errnoOf('EINVAL');
    return this.#answer((socket) => socket.connect(address, port));
  }

  disconnect(): number {
    return this.#answer((socket) => socket.connect());
  }

  /** Bytes and one if the datagram has left, 0 if `request` will be answered, or an error number. */
  send(
    request: SendRequest,
    chunks: readonly Uint8Array[],
    address: string | null,
    port: number,
    isAnswered: boolean,
  ): number {
    const socket = this.#socket;
    if (socket === null) return errnoOf('EBADF');
    if (isAnswered) return this.#sendAndAnswer(socket, request, chunks, address, port);
    return statusOfSent(socket.send(chunks, address, port, null));
  }

  #sendAndAnswer(
    socket: DatagramSocket,
    request: SendRequest,
    chunks: readonly Uint8Array[],
    address: string | null,
    port: number,
  ): number {
    let scope: AsyncResource | undefined;
    const done = (error: ErrorName | null, bytes: number): void => {
      scope?.runInAsyncScope(() => request.oncomplete?.(statusOf(error), bytes));
      scope?.emitDestroy();
    };
    const sent = socket.send(chunks, address, port, done);
    // Else Node calls back itself.
    if (sent === undefined) scope = this.#requestScope();
    return statusOfSent(sent);
  }

  /** Of the caller, caused by the socket, as with Node's own requests. */
  #requestScope(): AsyncResource {
    return new AsyncResource('UDPSENDWRAP', {
      requireManualDestroy: true,
      triggerAsyncId: this.#handle.getAsyncId(),
    });
  }

  startReceiving(): number {
    const isIpv6 = this.#type === 'udp6';
    const refused = this.#socket === null ? this.#bindToAny(isIpv6, 0, 'datagram') : null;
    if (refused !== null) return errnoOf(refused);
    this.#socket?.startReceiving();
    return 0;
  }

  stopReceiving(): number {
    this.#socket?.stopReceiving();
    return 0;
  }

  localAddress(out: object): number {
    return endpointInto(out, this.#socket?.localEndpoint() ?? 'EBADF');
  }

  peerAddress(out: object): number {
    return endpointInto(out, this.#socket?.peerEndpoint() ?? 'EBADF');
  }

  setOption(option: DatagramOption, value: number): number {
    const number = value | 0;
    if (this.#socket === null && isOutOfRange(option, number)) return errnoOf('EINVAL');
    return this.#answer((socket) => socket.setOption(option, number));
  }

  setMulticastInterface(address: string): number {
    if (!isAddress(address)) return errnoOf('EINVAL');
    return this.#answer((socket) => socket.setMulticastInterface(address));
  }

  /** Joining binds a socket that is not bound yet, to any port, as libuv does. */
  joinGroup(
    join: boolean,
    group: string,
    source: string | undefined,
    networkInterface: string | null | undefined,
  ): number {
    if (!isAddress(group)) return errnoOf('EINVAL');
    const isIpv6 = group.includes(':');
    const bind = (): ErrorName | null =>
      this.#bindToAny(isIpv6, bindFlags.reuseAddress, 'multicast');
    const refused = this.#socket === null ? bind() : null;
    if (refused !== null) return errnoOf(refused);
    // Whatever it is, native code takes its text.
    const isGiven = networkInterface !== undefined && networkInterface !== null;
    const settings = {
      group,
      source,
      networkInterface: isGiven ? String(networkInterface) : undefined,
    };
    return this.#answer((socket) => socket.joinGroup(join, settings));
  }

  #bindToAny(isIpv6: boolean, flags: number, inferred: DatagramClass): ErrorName | null {
    return this.#bindTo(isIpv6 ? '::' : '0.0.0.0', 0, flags, inferred);
  }

  /** Undefined, and the reason in `context`, where that cannot be. */
  bufferSize(bytes: number, ofReceive: boolean, context: object): number | undefined {
    const size =
      bytes > MOST_BYTES
        ? 'EINVAL'
        : (this.#socket?.bufferSize(ofReceive ? 'receive' : 'send', bytes) ?? noSocket);
    if (typeof size === 'number') return size;
    describeInto(context, size, `uv_${ofReceive ? 'recv' : 'send'}_buffer_size`);
    return undefined;
  }

  get queuedBytes(): number {
    return this.#socket?.queuedBytes ?? 0;
  }

  get queuedCount(): number {
    return this.#socket?.queuedCount ?? 0;
  }

  get fd(): number {
    return this.#socket?.fd ?? errnoOf('EBADF');
  }

  /** Whether this descriptor is served here already. */
  isServed(fd: number): boolean {
    return this.#transport.hasDatagrams(fd);
  }

  duplicate(): number | ErrorName {
    return this.#socket?.duplicate() ?? 'EBADF';
  }

  ref(): void {
    this.#refed = true;
    this.#socket?.ref();
  }

  unref(): void {
    this.#refed = false;
    this.#socket?.unref();
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #answer(ask: (socket: DatagramSocket) => ErrorName | null): number {
    return this.#socket === null ? errnoOf('EBADF') : statusOf(ask(this.#socket));
  }

  // --- What the port reports

  onDatagram(bytes: Buffer, address: string, family: 'IPv4' | 'IPv6', port: number): void {
    this.#callBack(bytes.length, bytes, { address, family, port });
  }

  onReceiveError(error: ErrorName): void {
    this.#callBack(errnoOf(error));
  }

  #callBack(bytesOrError: number, bytes?: Buffer, sender?: Sender): void {
    this.#scope.runInAsyncScope(this.#report, this, bytesOrError, bytes, sender);
  }

  /** What a listener throws is reported in the socket's scope. */
  #report(bytesOrError: number, bytes?: Buffer, sender?: Sender): void {
    const handle = this.#handle;
    try {
      handle.onmessage?.(bytesOrError, handle, bytes, sender);
    } catch (error) {
      this.#transport.fatalException(error);
    }
  }
}
