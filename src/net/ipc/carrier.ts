/**
 * Who takes sockets to other processes. Each copy of our modules knows its own sockets, and is a
 * carrier of them. Node's functions are replaced once, by code that asks all carriers.
 */

export interface SendOptions {
  keepOpen?: boolean;
  swallowErrors?: boolean;
}

type SendCallback = (error: Error | null) => void;

export type SendArguments = [
  message: unknown,
  handle?: unknown,
  options?: SendOptions | boolean,
  callback?: SendCallback,
];

export type Send = (this: Channel, ...args: SendArguments) => boolean;

/** A process that messages go to: a child, or the parent in the shape of `process`. */
export interface Channel {
  _send?: Send;
  /** While a handle is under way, what is to be sent after it; Node calls `_send` again then. */
  _handleQueue?: unknown[] | null;
  emit(event: 'error', error: Error): boolean;
}

export interface Carrier {
  /** Sends what is this copy's; undefined where the handle is not. */
  send(channel: Channel, send: Send, args: SendArguments): boolean | undefined;
  /** A descriptor of its own for what is this copy's. */
  duplicate(entry: object): number | undefined;
}

/** Of one environment. */
export interface Carriers {
  /** Kept by the copies: one that is forgotten has no sockets either. */
  readonly all: WeakRef<() => Carrier>[];
  /** There, as soon as there are children. */
  wrapChannel?: (channel: Channel) => void;
  /** Children may have been made before anybody watched, of which not all can be found. */
  mayHaveUnknownChannels: boolean;
}
