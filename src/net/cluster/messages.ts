/**
 * What a worker of a cluster and its primary say to each other on Windows, where they share
 * listening sockets without Node's handles (docs/cluster.md).
 *
 * They are messages of the cluster module, one for each of its own: it leaves alone what it does not
 * know, and a program that watches `'internalMessage'` counts as many (test-net-listen-twice does).
 */
import { bare, has } from '../bare';
import type { ErrorName } from '../../port/contract';

/** What begins with NODE_ does not come to the program's 'message' listeners. */
const command = 'NODE_CLUSTER';
/** Of an answer after which the cluster module asks and answers itself. */
const refusal = 'NODE_IOCP_NET';

/** Tells our messages from the cluster module's. */
const sender = 'iocp-net';

interface Envelope {
  cmd: typeof command | typeof refusal;
  by: typeof sender;
}

/** Set for workers by a primary that understands these messages. */
export const primaryVariable = 'IOCP_NET_PRIMARY';

/** Asks for a listening socket. */
export interface Query {
  ask: 'listen';
  seq: number;
  address: string | null;
  port: number;
  addressType: number;
  backlog: number;
  ipv6Only: boolean;
  /** Of those servers of the worker that listen on the same address; tells `listen(0)` apart. */
  index: number;
  /** What a server shares with those of other workers: the keys of TLS tickets. */
  data: unknown;
}

/**
 * The worker's server is closed. Says it as the cluster module does, for programs that watch what a
 * worker sends (test-net-server-close-before-ipc-response does); the module looks for the key among
 * its own and finds none.
 */
export interface Closed {
  act: 'close';
  key: string;
}

export type Answer = { answers: number } & (
  | { key: string; token: string; data: unknown }
  | { error: ErrorName }
  /** The primary accepts by itself: Node's way. */
  | { refused: true }
);

export interface Channel {
  send?(message: object, handle?: undefined, options?: { swallowErrors: boolean }): boolean;
  on(event: 'internalMessage', listener: (message: unknown) => void): unknown;
  once(event: 'disconnect' | 'exit', listener: () => void): unknown;
}

type Message = Query | Closed | Answer;

/** Says something to which nobody may listen any more. */
export function tell(channel: Channel, message: Message): void {
  const { connected } = channel as { connected?: boolean };
  const cmd = has(message, 'refused') ? refusal : command;
  const enveloped: Message & Envelope = { cmd, by: sender, ...message };
  if (connected) channel.send?.(enveloped, undefined, { swallowErrors: true });
}

export function isOurs(message: unknown): message is Message {
  const { cmd, by } = bare({ ...(message as Partial<Envelope> | null) });
  return by === sender && (cmd === command || cmd === refusal);
}
