/**
 * Sockets and servers on their way to another process, by `subprocess.send(message, socket | server)`
 * and `process.send(…)`, and as standard streams of a child.
 *
 * Node passes the handle of a socket or server to native code, which knows only libuv's. So what is
 * ours gets a handle of Node's for a duplicate of its descriptor, and Node does the rest as always:
 * acknowledging, counting the connections of a server, closing the sender's side. On Windows there
 * is no such handle, and both throw.
 *
 * A socket that was reading may have bytes that arrived before; they stay here, as with Node, whose
 * documentation says how to be safe: `pauseOnConnect`. No receive is posted on such a socket.
 */
import { Duplex } from 'node:stream';
import type { Connection } from '../../port/contract';
import { bare } from '../bare';
import type { Carrier, Channel, Send, SendArguments, SendOptions } from './carrier';
import { cannotBeSent, operationError } from '../node/errors';
import { kAdmitted, kLink } from '../node/internals';
import type { AdmittedSocket } from '../server/admitted-socket';
import { Phase } from '../socket/link';
import type { LinkedSocket, SocketLink } from '../socket/link';
import { ListenHandle } from '../server/listen-handle';
import { canChangeSides, nativeServerHandle, nativeSocketHandle } from '../node/native-handle';
import type { NativeHandle } from '../node/native-handle';
import { giveToNode } from '../handle/give-to-node';
import { isOurHandle } from '../handle/handle-class';

const windowsReason =
  'on Windows a socket of iocp-net is bound to the completion port of its process, for life';

function checkPlatform(): void {
  if (!canChangeSides) throw cannotBeSent(windowsReason);
}

type LimitedSocket = LinkedSocket & { readonly [kAdmitted]?: AdmittedSocket };

function duplicateOf(owner: { duplicate(): number | string }): number {
  const fd = owner.duplicate();
  if (typeof fd === 'string') throw operationError(fd, 'dup');
  return fd;
}

/** Runs with a property of the object hidden behind a value. */
function withHandle<Result>(owner: object, native: NativeHandle, run: () => Result): Result {
  const before = Object.getOwnPropertyDescriptor(owner, '_handle');
  Object.defineProperty(
    owner,
    '_handle',
    bare({ configurable: true, value: native, writable: true }),
  );
  try {
    return run();
  } finally {
    if (before === undefined) Reflect.deleteProperty(owner, '_handle');
    else Object.defineProperty(owner, '_handle', before);
  }
}

/** One call of `_send` with something of ours. */
class Sending {
  readonly #channel: Channel;
  readonly #send: Send;
  readonly #args: SendArguments;

  constructor(channel: Channel, send: Send, args: SendArguments) {
    this.#channel = channel;
    this.#send = send;
    this.#args = args;
  }

  #options(): SendOptions {
    const [, , options] = this.#args;
    return typeof options === 'object' ? options : bare({});
  }

  /** The socket becomes Node's, which parts with it by its own rules. */
  socket(socket: LinkedSocket, link: SocketLink, connection: Connection): boolean {
    checkPlatform();
    const native = nativeSocketHandle(duplicateOf(connection));
    if (this.#options().keepOpen) {
      return withHandle(socket, native, () => this.#sendCopy(socket, native));
    }
    giveToNode(socket, link, connection, native);
    // Node never destroys a socket that it has sent.
    (socket as LimitedSocket)[kAdmitted]?.leave();
    return this.#send.apply(this.#channel, this.#args);
  }

  /** Both sides accept from now on. `what`: the server, or its bare handle. */
  listener(what: object, handle: ListenHandle): boolean {
    checkPlatform();
    const native = nativeServerHandle(duplicateOf(handle));
    if (typeof native === 'number') throw cannotBeSent(`error ${native}`);
    if (what === handle) return this.#sendCopy(native, native);
    return withHandle(what, native, () => this.#sendCopy(what, native));
  }

  /** A bare handle stays the sender's, who closes it. */
  handle(connection: Connection): boolean {
    checkPlatform();
    const native = nativeSocketHandle(duplicateOf(connection));
    return this.#sendCopy(native, native);
  }

  /** Sends, and closes our copy of the handle when it has gone. */
  #sendCopy(handle: object, native: NativeHandle): boolean {
    const [message, , , callback] = this.#args;
    const options = this.#options();
    const done = (error: Error | null): void => {
      native.close();
      if (callback !== undefined) callback(error);
      else if (error !== null) this.#channel.emit('error', error);
    };
    // Told that errors do not matter, Node tells nobody.
    const told = { ...options, swallowErrors: false };
    const sent = options.swallowErrors ? (): void => native.close() : done;
    return this.#send.call(this.#channel, message, handle, told, sent);
  }
}

function send(channel: Channel, send_: Send, args: SendArguments): boolean | undefined {
  const [message, handle, options, callback] = args;
  const sending = new Sending(channel, send_, args);
  if (isOurHandle(handle)) {
    return handle.connection === null ? undefined : sending.handle(handle.connection);
  }
  const socket = handle as LinkedSocket;
  const link = socket[kLink];
  if (link !== undefined) {
    const { connection, phase } = link;
    if (connection === null || phase !== Phase.Open) {
      // Nothing to send: the message goes alone, as with Node.
      return send_.call(channel, message, undefined, options, callback);
    }
    return sending.socket(socket, link, connection);
  }
  if (handle instanceof ListenHandle) return sending.listener(handle, handle);
  // Node's datagram sockets warn of whoever looks for one.
  const listener = Object.hasOwn(socket, '_handle') ? socket._handle : null;
  return listener instanceof ListenHandle ? sending.listener(socket, listener) : undefined;
}

/** What of ours an entry stands for: a connection or a listener, by itself or by its handle. */
function sourceOf(entry: object): Connection | ListenHandle | null {
  if (entry instanceof ListenHandle) return entry;
  if (isOurHandle(entry)) return entry.connection;
  return (entry as Partial<LinkedSocket>)[kLink]?.connection ?? null;
}

function duplicate(entry: object): number | undefined {
  const source = sourceOf(entry);
  if (source === null) return undefined;
  checkPlatform();
  const fd = duplicateOf(source);
  if (!(source instanceof ListenHandle)) leaveReading(entry, source);
  return fd;
}

/** The child reads, so nobody does here, as with Node's own sockets. */
function leaveReading(entry: object, connection: Connection): void {
  if (entry instanceof Duplex) {
    const socket = entry as LinkedSocket;
    socket.pause();
    Reflect.set(socket, 'readableFlowing', false);
    socket._readableState.reading = false;
  }
  connection.withdrawReading();
}

export const carrier: Carrier = { send, duplicate };
