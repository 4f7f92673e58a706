/** Node's own `dgram`, also behind `iocp-net/register`, and what of it is not in its documentation. */
import * as live from 'node:dgram';
import { EventEmitter } from 'node:events';
import { ownSymbol } from '../own-symbol';

export type * from 'node:dgram';

/**
 * `register` has put what leads to ours in the place of Node's before this is loaded. Node's is the
 * class that stands on EventEmitter itself.
 */
function classOfNode(): typeof live.Socket {
  let prototype = live.Socket.prototype as object;
  for (;;) {
    const below = Object.getPrototypeOf(prototype) as object | null;
    if (below === null || below === EventEmitter.prototype) break;
    prototype = below;
  }
  return prototype.constructor as typeof live.Socket;
}

export const Socket = classOfNode();
export type Socket = live.Socket;

/** Where `UDP` takes flags: `uv_udp_flags` of libuv. */
export const bindFlags = { ipv6Only: 1, reuseAddress: 4, reusePort: 64 } as const;

/** A request to send, as Node makes one for each datagram. */
export interface SendRequest {
  oncomplete?(status: number, bytes: number): void;
}

/** From whom a datagram came; Node adds its size. */
export interface Sender {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

export type OnMessage = (
  bytesOrError: number,
  handle: NodeHandle,
  bytes?: Buffer,
  sender?: Sender,
) => void;

type Answer = (...parameters: never[]) => number;

/** A native handle of Node's (`UDP`), as `dgram.Socket` calls it. Answers are 0 or error numbers. */
export interface NodeHandle {
  bind: Answer;
  connect: Answer;
  send: Answer;
  readonly bind6: Answer;
  readonly connect6: Answer;
  readonly send6: Answer;
  readonly fd: number;
  onmessage?: OnMessage;
  open(fd: number): number;
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  getAsyncId(): number;
}

interface State {
  handle: NodeHandle | null;
}

let stateSymbol: symbol | undefined;

/** What a socket of Node's knows of itself; undefined where this Node keeps it otherwise. */
export function stateOf(socket: object): State | undefined {
  stateSymbol ??= ownSymbol(socket, 'state symbol');
  if (stateSymbol === undefined) return undefined;
  return (socket as Record<symbol, State | undefined>)[stateSymbol];
}
