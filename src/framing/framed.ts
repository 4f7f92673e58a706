/**
 * Frames over any stream: a Duplex in object mode around a socket.
 *
 * Both sides keep the backpressure of the stream below: reading from it stops while frames wait to be
 * read, and what is written waits until it drains. `send()` goes past the queue of the writing side,
 * and answers what the stream below has answered.
 */
import { Duplex, addAbortSignal, finished } from 'node:stream';
import type { Readable } from 'node:stream';
import { invalidType } from '../node-argument-errors';
import { optionsOf } from './codec';
import type { Codec, Decoder } from './codec';
import { truncated } from './errors';
import { Heartbeat } from './heartbeat';
import type { HeartbeatOptions } from './heartbeat';
import { prematureClose } from './premature-close';

export interface FramedOptions<Received, Sent> {
  /**
   * Called with each frame at once, in the place of `'data'` and async iteration: without the queue of
   * an object stream, so without backpressure unless it pauses `framed.stream`. What it throws
   * destroys the connection.
   */
  onFrame?: ((frame: Received, framed: Framed<Received, Sent>) => void) | undefined;
  /** Off by default. */
  heartbeat?: HeartbeatOptions<Received, Sent> | undefined;
  /** Destroys the connection with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Frames that may wait on each side before it says that it is full. Default Node's, 16. */
  highWaterMark?: number | undefined;
}

enum Reading {
  Flowing,
  /** Frames wait to be read, so the stream below is paused. */
  Held,
  Ended,
}

/** A frame that is bytes already. */
class EncodedFrame {
  readonly parts: Uint8Array[];

  constructor(parts: Uint8Array[]) {
    this.parts = parts;
  }
}

type Listener = readonly [event: string, listener: (argument: unknown) => void];
type WriteCallback = (error?: Error | null) => void;

const isWritable = (stream: Readable): boolean =>
  typeof (stream as Partial<Duplex>).write === 'function';

function checkStream(stream: unknown): void {
  const { on, pause } = (stream ?? {}) as Partial<Readable>;
  if (typeof on === 'function' && typeof pause === 'function') return;
  throw invalidType('stream', 'Duplex or Readable', stream);
}

function superOptions(stream: Readable, highWaterMark: number | undefined): object {
  return {
    objectMode: true,
    writable: isWritable(stream),
    allowHalfOpen: (stream as Partial<Duplex>).allowHalfOpen ?? true,
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
  };
}

export class Framed<Received, Sent> extends Duplex {
  /** The stream below. */
  readonly stream: Readable;
  readonly #codec: Codec<Received, Sent>;
  readonly #decoder: Decoder<Received>;
  readonly #onFrame: FramedOptions<Received, Sent>['onFrame'];
  readonly #heartbeat: Heartbeat<Received, Sent> | null;
  readonly #listeners: readonly Listener[];
  #reading = Reading.Flowing;
  /** Of the write that waits until the stream below drains. */
  #blocked: WriteCallback | null = null;

  /** As `framed()`. */
  constructor(
    stream: Readable,
    codec: Codec<Received, Sent>,
    options?: FramedOptions<Received, Sent>,
  ) {
    checkStream(stream);
    const { onFrame, heartbeat, signal, highWaterMark } = optionsOf(options);
    if (onFrame !== undefined && typeof onFrame !== 'function') {
      throw invalidType('options.onFrame', 'function', onFrame);
    }
    super(superOptions(stream, highWaterMark));
    this.stream = stream;
    this.#codec = codec;
    this.#decoder = codec.decoder();
    this.#onFrame = onFrame;
    this.#heartbeat = heartbeat === undefined ? null : this.#heartbeatOf(heartbeat);
    if (stream.isPaused()) this.#reading = Reading.Held;
    this.#listeners = [
      ['data', (chunk) => this.#onData(chunk as Uint8Array)],
      ['end', () => this.#onEnd()],
      ['error', (error) => void this.destroy(error as Error)],
      ['close', () => this.#onClose()],
      ['drain', () => this.#onDrain()],
    ];
    this.#begin(signal);
  }

  /**
   * Sends a frame. False where more than the stream below wants to hold waits to be sent: then
   * `'drain'` says when to go on. As with `write()`, nothing is lost by going on at once, but memory.
   *
   * @throws what `codec.encode()` throws, and the connection goes on.
   */
  send(frame: Sent): boolean {
    const parts = this.#codec.encodeParts(frame);
    const isNext = this.writableLength === 0 && this.writableCorked === 0 && this.writable;
    return isNext ? this.#writeParts(parts) : super.write(new EncodedFrame(parts));
  }

  /**
   * The frames. To leave the loop early destroys the connection, as with any stream. But that of other
   * streams also destroys them when it has come to the end, and what was sent may not be gone by then.
   */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Received> {
    const frames = this.iterator({ destroyOnReturn: false }) as NodeJS.AsyncIterator<Received>;
    const leave = frames.return?.bind(frames);
    frames.return = (value) => {
      this.destroy();
      return leave!(value);
    };
    return frames;
  }

  override _read(): void {
    if (this.#reading !== Reading.Held) return;
    this.#reading = Reading.Flowing;
    this.stream.resume();
  }

  override _write(frame: Sent | EncodedFrame, _encoding: unknown, callback: WriteCallback): void {
    this.#writeAll([frame], callback);
  }

  override _writev(all: { chunk: Sent | EncodedFrame }[], callback: WriteCallback): void {
    this.#writeAll(
      all.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: WriteCallback): void {
    const below = this.stream as Duplex;
    if (below.writableFinished) return callback();
    finished(below, { readable: false }, (error) => callback(error));
    below.end();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    const { stream } = this;
    this.#heartbeat?.stop();
    for (const [event, listener] of this.#listeners) {
      stream.off(event, listener);
    }
    // What fails after that is of no interest to anybody.
    stream.on('error', () => {});
    stream.destroy();
    const blocked = this.#blocked;
    this.#blocked = null;
    blocked?.(error ?? prematureClose());
    callback(error);
  }

  /** Also for a stream that has ended, failed or was closed before. */
  #begin(signal: AbortSignal | undefined): void {
    const { stream } = this;
    for (const [event, listener] of this.#listeners) {
      stream.on(event, listener);
    }
    if (this.#onFrame !== undefined) this.resume();
    this.#heartbeat?.start();
    if (signal !== undefined) addAbortSignal(signal, this);
    if (stream.errored) this.destroy(stream.errored);
    else if (stream.readableEnded) this.#onEnd();
    else if (stream.destroyed) this.destroy(prematureClose());
  }

  #heartbeatOf(options: HeartbeatOptions<Received, Sent>): Heartbeat<Received, Sent> {
    const below = this.stream as Partial<Duplex> & { connecting?: boolean };
    if (!isWritable(this.stream)) {
      throw invalidType('stream', 'Duplex, for heart-beats', this.stream);
    }
    return new Heartbeat(options, {
      isHearing: () =>
        this.#reading === Reading.Flowing && !this.stream.isPaused() && below.connecting !== true,
      isSending: () => this.writable && below.writable !== false,
      hasRoom: () => !this.writableNeedDrain,
      send: (frame) => void this.send(frame),
      giveUp: (error) => void this.destroy(error),
    });
  }

  readonly #deliver = (frame: Received): void => {
    if (this.destroyed || this.#heartbeat?.takes(frame)) return;
    if (this.#onFrame !== undefined) this.#onFrame(frame, this);
    else if (!this.push(frame)) this.#hold();
  };

  #hold(): void {
    this.#reading = Reading.Held;
    this.stream.pause();
  }

  #onData(chunk: Uint8Array): void {
    this.#heartbeat?.heard();
    try {
      this.#decoder.push(chunk, this.#deliver);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #onEnd(): void {
    this.#heartbeat?.stop();
    try {
      this.#decoder.end();
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    this.#reading = Reading.Ended;
    this.push(null);
  }

  /** Of the stream below. In good order it comes after its end, and after all was sent. */
  #onClose(): void {
    const { bufferedBytes } = this.#decoder;
    const below = this.stream as Partial<Duplex>;
    const isSent = this.writableFinished || below.writableFinished === true;
    if (this.#reading !== Reading.Ended) {
      this.destroy(bufferedBytes > 0 ? truncated(bufferedBytes) : prematureClose());
    } else if (!isSent) this.destroy(prematureClose());
    // What was received may still wait to be read.
    else if (this.writable) this.end();
  }

  #onDrain(): void {
    const blocked = this.#blocked;
    this.#blocked = null;
    blocked?.();
    this.#heartbeat?.drained();
    // Otherwise Node emits it.
    if (this.writable && !isQueueFull(this)) this.emit('drain');
  }

  #writeAll(frames: (Sent | EncodedFrame)[], callback: WriteCallback): void {
    let parts: Uint8Array[];
    try {
      parts = frames.flatMap((frame) =>
        frame instanceof EncodedFrame ? frame.parts : this.#codec.encodeParts(frame),
      );
    } catch (error) {
      callback(error as Error);
      return;
    }
    if (this.#writeParts(parts)) callback();
    else this.#blocked = callback;
  }

  #writeParts(parts: Uint8Array[]): boolean {
    const below = this.stream as Duplex;
    if (parts.length === 1) return below.write(parts[0]);
    let hasRoom = true;
    below.cork();
    for (const part of parts) hasRoom = below.write(part);
    below.uncork();
    return hasRoom;
  }
}

/** Whether Node's `write()` has answered false, and `'drain'` is still to come. */
const isQueueFull = (framed: Duplex): boolean =>
  Reflect.get(Duplex.prototype, 'writableNeedDrain', framed);

// An accessor of Node's that its types call a property, so that no class may override it.
Object.defineProperty(Framed.prototype, 'writableNeedDrain', {
  configurable: true,
  get(this: Framed<unknown, unknown>): boolean {
    const below = this.stream as Partial<Duplex>;
    return isQueueFull(this) || (this.writable && below.writableNeedDrain === true);
  },
});

/**
 * Frames over a stream: a `net.Socket`, a `tls.TLSSocket`, any Duplex; or a Readable, from which frames
 * are only read. It takes the stream over: its end is the end of both, and so are errors and `destroy()`.
 *
 * ```js
 * const connection = framed(net.connect(7000), lengthPrefixed());
 * connection.send('hello');
 * for await (const frame of connection) console.log(frame);
 * ```
 *
 * Errors come as `'error'`, or reject the iteration: those of the stream, and FramingError. With
 * neither a listener nor an iteration they end the process, as of every stream of Node's.
 *
 * Costs in the hot path one call for each frame with `onFrame`, else what an object stream costs.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` or `ERR_INVALID_ARG_VALUE` for bad options.
 */
export function framed<Received, Sent>(
  stream: Readable,
  codec: Codec<Received, Sent>,
  options?: FramedOptions<Received, Sent>,
): Framed<Received, Sent> {
  return new Framed(stream, codec, options);
}
