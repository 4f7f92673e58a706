/**
 * `subprocess.send(message, socket | server)` and `process.send(…)`, and sockets in the `stdio` of
 * `spawn()`.
 *
 * Node passes the handle of a socket or server to native code, which knows only libuv's. So each
 * channel's `_send` is wrapped: what is ours gets a handle of Node's for a duplicate of its
 * descriptor, and Node does the rest as always: acknowledging, counting the connections of a server,
 * closing the sender's side. On Windows there is no such handle, and both throw.
 *
 * A socket that was reading may have bytes that arrived before; they stay here, as with Node, whose
 * documentation says how to be safe: `pauseOnConnect`. No receive is posted on such a socket.
 */
import { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Connection } from '../../port/contract';
import { guardUnknownChannels } from './asked-by-send';
import { greetWorker, serveWorker } from '../cluster/primary';
import { cannotBeSent, operationError } from '../node/errors';
import { kLink } from '../node/internals';
import type { NetSocket } from '../node/internals';
import { Phase } from '../socket/link';
import type { SocketLink } from '../socket/link';
import { ListenHandle } from '../server/listen-handle';
import { nativeServerHandle, nativeSocketHandle } from '../node/native-handle';
import type { NativeHandle } from '../node/native-handle';
import { isOurHandle } from './tcp-handle';

interface SendOptions {
  keepOpen?: boolean;
  swallowErrors?: boolean;
}

type SendCallback = (error: Error | null) => void;

type SendArguments = [
  message: unknown,
  handle?: unknown,
  options?: SendOptions | boolean,
  callback?: SendCallback,
];

type Send = (this: Channel, ...args: SendArguments) => boolean;

/** A process that messages go to: a child, or the parent in the shape of `process`. */
interface Channel {
  _send?: Send;
  /** While a handle is under way, what is to be sent after it; Node calls `_send` again then. */
  _handleQueue?: unknown[] | null;
  emit(event: 'error', error: Error): boolean;
}

const wrapped = new WeakSet<Send>();

const windowsReason =
  'on Windows a socket of iocp-net is bound to the completion port of its process, for life';

function checkPlatform(): void {
  if (process.platform === 'win32') throw cannotBeSent(windowsReason);
}

function duplicateOf(owner: { duplicate(): number | string }): number {
  const fd = owner.duplicate();
  if (typeof fd === 'string') throw operationError(fd, 'dup');
  return fd;
}

/** What Node refuses before it looks at the handle. */
function isSendable(message: unknown): boolean {
  const isPlain = ['string', 'number', 'boolean', 'object'].includes(typeof message);
  return message !== undefined && isPlain;
}

/** Runs with a property of the object hidden behind a value. */
function withHandle<Result>(owner: object, native: NativeHandle, run: () => Result): Result {
  const before = Object.getOwnPropertyDescriptor(owner, '_handle');
  Object.defineProperty(owner, '_handle', { configurable: true, value: native, writable: true });
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

  get #options(): SendOptions {
    const [, , options] = this.#args;
    return typeof options === 'object' ? options : {};
  }

  /** The socket becomes Node's, which parts with it by its own rules. */
  socket(socket: NetSocket, link: SocketLink, connection: Connection): boolean {
    checkPlatform();
    const native = nativeSocketHandle(duplicateOf(connection));
    if (this.#options.keepOpen) {
      return withHandle(socket, native, () => this.#sendCopy(socket, native));
    }
    connection.owner = null;
    link.release();
    connection.owner = null;
    connection.release();
    socket[kLink] = undefined;
    socket._handle = native;
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
    const options = this.#options;
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

function wrapSend(send: Send): Send {
  return function _send(this: Channel, ...args: SendArguments): boolean {
    const [message, handle, options, callback] = args;
    const isObject = typeof handle === 'object' && handle !== null;
    // Queued behind another handle, it comes here again.
    if (!isObject || this._handleQueue || !isSendable(message)) return send.apply(this, args);
    const sending = new Sending(this, send, args);
    if (isOurHandle(handle)) {
      if (handle.connection !== null) return sending.handle(handle.connection);
      return send.apply(this, args);
    }
    const socket = handle as NetSocket;
    const link = socket[kLink];
    if (link !== undefined) {
      const { connection, phase } = link;
      if (connection === null || phase !== Phase.Open) {
        // Nothing to send: the message goes alone, as with Node.
        return send.call(this, message, undefined, options, callback);
      }
      return sending.socket(socket, link, connection);
    }
    if (handle instanceof ListenHandle) return sending.listener(handle, handle);
    const listener = (handle as { _handle?: unknown })._handle;
    if (listener instanceof ListenHandle) return sending.listener(handle, listener);
    return send.apply(this, args);
  };
}

function wrapChannel(channel: Channel): void {
  const { _send: send } = channel;
  if (typeof send !== 'function' || wrapped.has(send)) return;
  channel._send = wrapSend(send);
  wrapped.add(channel._send);
}

// --- Sockets as the standard streams of a child ---------------------------------------------------

type Stdio = unknown;

/** What of ours an entry stands for: a connection or a listener, by itself or by its handle. */
function sourceOf(entry: Stdio): Connection | ListenHandle | null {
  if (typeof entry !== 'object' || entry === null) return null;
  if (entry instanceof ListenHandle) return entry;
  if (isOurHandle(entry)) return entry.connection;
  return (entry as Partial<NetSocket>)[kLink]?.connection ?? null;
}

/** Puts descriptors in the place of our sockets; returns those to close when the child has them. */
function replaceSockets(options: { stdio?: Stdio }): number[] {
  const { stdio } = options;
  if (!Array.isArray(stdio)) return [];
  const duplicates: number[] = [];
  options.stdio = stdio.map((entry: Stdio) => {
    const source = sourceOf(entry);
    if (source === null) return entry;
    checkPlatform();
    const fd = duplicateOf(source);
    duplicates.push(fd);
    return fd;
  });
  return duplicates;
}

// --- Where channels come from ---------------------------------------------------------------------

interface SpawnSettings {
  stdio?: Stdio;
  envPairs?: string[];
}

interface Spawning {
  spawn(options: SpawnSettings): unknown;
}

/** From here children can be given what is ours, when they begin and over their channels. */
function watchSpawn(): void {
  const prototype = ChildProcess.prototype as unknown as Spawning;
  const { spawn } = prototype;
  prototype.spawn = function (this: Channel & Spawning, options) {
    const duplicates = replaceSockets(options);
    const isWorker = process.platform === 'win32' && greetWorker(options);
    try {
      return spawn.call(this, options);
    } finally {
      for (const fd of duplicates) closeSync(fd);
      wrapChannel(this);
      if (isWorker) serveWorker(this as unknown as ChildProcess);
    }
  };
}

/** Children from before we were loaded. Those that are unreferenced cannot be found. */
function wrapChildren(): void {
  const { _getActiveHandles: handles } = process as unknown as {
    _getActiveHandles?: () => unknown[];
  };
  const children = (handles?.() ?? []).filter((each) => each instanceof ChildProcess);
  for (const child of children) wrapChannel(child);
  if (children.length > 0) guardUnknownChannels();
}

/** From here every channel, of children there are and to come and to the parent, can send what is ours. */
export function watchChannels(): void {
  watchSpawn();
  wrapChannel(process);
  wrapChildren();
}
