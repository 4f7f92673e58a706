/** The `'drop'` event: what it tells of a connection, by us as by Node. */
import type * as nodeNet from 'node:net';
import { channels } from '../../diagnostics/channels';
import type { DropStats } from '../../drops';
import { environment } from '../../environment';
import type { LimitReason } from '../../limit-options';
import type { Arrival } from '../../port/contract';
import type { NetServer, NetSocket } from '../node/internals';

export type DropInfo = nodeNet.DropArgument & { reason?: LimitReason };

/** Of a connection that is not admitted; of a local one there is nothing to tell. */
export function dropInfo(arrival: Arrival): DropInfo | undefined {
  if (arrival.kind === 'local') return undefined;
  const info = Object.create(null) as DropInfo;
  const local = arrival.localEndpoint();
  const remote = arrival.peerEndpoint();
  if (typeof local !== 'string') {
    info.localAddress = local.address;
    info.localPort = local.port;
    info.localFamily = local.family;
  }
  if (typeof remote !== 'string') {
    info.remoteAddress = remote.address;
    info.remotePort = remote.port;
    info.remoteFamily = remote.family;
  }
  return info;
}

const told = [
  ...['localAddress', 'localPort', 'localFamily'],
  ...['remoteAddress', 'remotePort', 'remoteFamily'],
];

/** The same of a socket. */
export function infoOf(socket: NetSocket): DropInfo | undefined {
  if (socket.localAddress === undefined && socket.remoteAddress === undefined) return undefined;
  const info = Object.create(null) as DropInfo & Record<string, unknown>;
  for (const name of told) info[name] = Reflect.get(socket, name);
  return info;
}

/** Counts a connection that is dropped, and tells who listens on the channel. */
export function noteDrop(
  server: NetServer | null,
  info: DropInfo | undefined,
  reason: keyof DropStats,
): void {
  environment().drops[reason]++;
  if (!channels.drop.hasSubscribers) return;
  channels.drop.publish({ server, reason, info });
}

/** Notes a connection that is dropped, and lets its server tell: with a reason, if it is ours. */
export function countDrop(
  server: NetServer | null,
  info: DropInfo | undefined,
  why: LimitReason | 'maxConnections',
): void {
  noteDrop(server, info, why);
  if (why !== 'maxConnections') {
    const withReason = info ?? (Object.create(null) as DropInfo);
    withReason.reason = why;
    server?.emit('drop', withReason);
  } else if (info === undefined) {
    server?.emit('drop');
  } else {
    server?.emit('drop', info);
  }
}
