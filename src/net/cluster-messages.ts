/**
 * What a worker of a cluster and its primary say to each other on Windows, where they share
 * listening sockets without Node's handles (docs/cluster.md). Node keeps messages whose `cmd` begins
 * with `NODE_` from the program.
 */
import type { ErrorName } from '../port/contract';

export const command = 'NODE_IOCP_NET';

/** Set for workers by a primary that understands these messages. */
export const primaryVariable = 'IOCP_NET_PRIMARY';

/** Asks for a listening socket. */
export interface Query {
  cmd: typeof command;
  act: 'listen';
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

/** The worker's server is closed. */
export interface Closed {
  cmd: typeof command;
  act: 'close';
  key: string;
}

export type Answer = { cmd: typeof command; ack: number } & (
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

/** Says something to which nobody may listen any more. */
export function tell(channel: Channel, message: Query | Closed | Answer): void {
  const { connected } = channel as { connected?: boolean };
  if (connected) channel.send?.(message, undefined, { swallowErrors: true });
}

export function isOurs(message: unknown): message is Query | Closed | Answer {
  return (message as { cmd?: unknown } | null)?.cmd === command;
}
