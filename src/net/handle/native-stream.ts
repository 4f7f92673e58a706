/**
 * Node's native class for a stream that is implemented in JavaScript. `tls`, `http2` and the HTTP
 * parser read and write such an object in native code, as they do Node's own TCP handles.
 *
 * Node has no public name for it, but public objects lead to one: a TLS socket over any stream puts
 * it in between.
 */
import { executionAsyncResource } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import { ownSymbol } from '../../own-symbol';

/** What native code calls, on an object made by the class. Each returns 0 or an error number. */
export interface NativeStreamHooks {
  /** A native consumer wants data. */
  onreadstart(): number;
  onreadstop(): number;
  /** The buffers are copies made for the call. `finishWrite(request, …)` answers, later. */
  onwrite(request: object, buffers: Buffer[]): number;
  /** `finishShutdown(request, …)` answers, later. */
  onshutdown(request: object): number;
  isClosing(): boolean;
}

/** An object of the class. */
export interface NativeStream {
  /** Gives bytes (copied), or the end, to the consumer; where there is none, to `onread`. */
  readBuffer(bytes: Uint8Array): void;
  emitEOF(): void;
  finishWrite(request: object, status: number): void;
  finishShutdown(request: object, status: number): void;
  onread: (this: NativeStream, bytes?: ArrayBuffer) => unknown;
  readonly isStreamBase: boolean;
}

/** Constructs a `NativeStream`; a subclass completes it with the hooks. */
export type NativeStreamClass = new () => NativeStream;

/** What was found. */
export interface FoundStream {
  readonly NativeStream: NativeStreamClass;
  /** Under this symbol a handle has the socket that it serves, for Node's own code. */
  readonly ownerSymbol: symbol | undefined;
}

const needed = ['readBuffer', 'emitEOF', 'finishWrite', 'finishShutdown'] as const;

function isNativeStream(object: object): object is NativeStream {
  const stream = object as Partial<NativeStream>;
  return stream.isStreamBase === true && needed.every((name) => typeof stream[name] === 'function');
}

/**
 * Stops the making of a TLS socket where it has made the object and begun to read: what the object
 * runs is run as its resource. A whole TLS socket over a stream would be three event emitters of
 * classes that a program with plain sockets has no others of. For the code of `events` and `stream`
 * these are classes too many to stay specialized: of the 25 µs of an HTTP request, 1.6 instead of
 * 1.2 went into V8's generic property access (eight connections, Node 24).
 */
function find(): FoundStream | null {
  const tls = process.getBuiltinModule('node:tls');
  const reading: object[] = [];
  const ignore = (): void => {};
  // What Node's wrapper of a stream calls on it until it reads.
  const stream = {
    pause: ignore,
    on: ignore,
    once: ignore,
    resume: () => reading.push(executionAsyncResource()),
  };
  const secureContext = {
    get context(): never {
      throw new Error('found');
    },
  };
  try {
    new tls.TLSSocket(stream as unknown as Duplex, { isServer: true, secureContext });
  } catch (error) {
    if (reading.length === 0) throw error;
  }
  const [instance] = reading;
  if (instance === undefined || !isNativeStream(instance)) return null;
  return {
    NativeStream: instance.constructor as NativeStreamClass,
    ownerSymbol: ownSymbol(instance, 'owner_symbol'),
  };
}

let found: FoundStream | null | undefined;

/**
 * The class and what belongs to it; null where this Node has no such class, or no `tls`. The first
 * call takes 2 to 7 ms.
 */
export function nativeStream(): FoundStream | null {
  if (found === undefined) {
    try {
      found = find();
    } catch {
      found = null;
    }
  }
  return found;
}
