/** What becomes of a server's new connections. */
import diagnosticsChannel from 'node:diagnostics_channel';
import type * as nodeNet from 'node:net';
import { channels } from '../../diagnostics/channels';
import type { LimitReason } from '../../limit-options';
import type { Arrival, Connection } from '../../port/contract';
import { bare } from '../bare';
import { takeHandle } from '../handle/handle';
import type { SocketHandle } from '../handle/handle-interface';
import { kConnection, kKeepAlive, kLimits, kLink } from '../node/internals';
import type { NetServer } from '../node/internals';
import { nodeMajor } from '../node/version';
import type { MoreKeepAlive } from '../socket/keep-alive-options';
import type { LinkedSocket, SocketLink } from '../socket/link';
import { Socket } from '../socket/socket';
import { countDrop, dropInfo, noteDrop } from './drop';
import type { LimitedServer } from './limits';

export type LimitableServer = NetServer & {
  readonly [kLimits]?: LimitedServer;
  readonly [kKeepAlive]?: MoreKeepAlive;
};

const serverSocketChannel = diagnosticsChannel.channel('net.server.socket');

// Up to Node 20 a maxConnections of 0 means no limit.
const zeroIsLimit = nodeMajor >= 22;

function isFull({ maxConnections, _connections }: NetServer): boolean {
  const limit = maxConnections as number | null | undefined;
  if (limit === undefined || limit === null) return false;
  return (zeroIsLimit || limit !== 0) && _connections >= limit;
}

function isBlocked({ blockList }: NetServer, arrival: Arrival): boolean {
  if (!blockList) return false;
  const peer = arrival.peerEndpoint();
  if (typeof peer === 'string') return false;
  return blockList.check(peer.address, peer.family === 'IPv6' ? 'ipv6' : 'ipv4');
}

/** Whether not everybody may come in. */
export function isSelective(server: LimitableServer): boolean {
  const { maxConnections, blockList } = server as Partial<NetServer>;
  return (maxConnections ?? blockList ?? server[kLimits]) !== undefined;
}

function drop(server: NetServer, arrival: Arrival, why: LimitReason | 'maxConnections'): void {
  const info = dropInfo(arrival);
  // Before anybody can throw: nobody else knows the connection.
  arrival.close(false);
  countDrop(server, info, why);
}

/** Whether a connection may come in; else it is turned away. */
export function admits(server: LimitableServer, arrival: Arrival): boolean {
  if (isFull(server)) {
    drop(server, arrival, 'maxConnections');
    return false;
  }
  if (isBlocked(server, arrival)) {
    const info = channels.drop.hasSubscribers ? dropInfo(arrival) : undefined;
    // Node says nothing of these.
    arrival.close(false);
    noteDrop(server, info, 'blockList');
    return false;
  }
  const reason = server[kLimits]?.reasonToRefuse(arrival) ?? null;
  if (reason === null) return true;
  drop(server, arrival, reason);
  return false;
}

/** Makes a socket of a connection of which nobody has been asked yet, or turns it away. */
export function takeIn(
  server: NetServer,
  connection: Connection,
  handle: SocketHandle | null,
): void {
  if (admits(server, connection)) admit(server, connection, handle);
}

/** Makes a socket of a connection that may come in. */
export function admit(
  server: LimitableServer,
  connection: Connection,
  handle: SocketHandle | null,
): void {
  const socket = new Socket({
    [kConnection]: connection,
    handle: undefined,
    fd: undefined,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
  } as nodeNet.SocketConstructorOpts) as unknown as LinkedSocket;
  const link = socket[kLink];
  if (link !== undefined && handle !== null) takeHandle(link, handle);
  if (link !== undefined && connection.kind === 'tcp') applyServerOptions(server, link);
  server._connections++;
  socket.server = server;
  socket._server = server;
  server[kLimits]?.admit(socket);
  server.emit('connection', socket as unknown as nodeNet.Socket);
  if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
}

function applyServerOptions(server: LimitableServer, link: SocketLink): void {
  if (server.noDelay) {
    link.noDelay = true;
    link.setNoDelay(true);
  }
  if (server.keepAlive) {
    link.keepAlive = true;
    link.keepAliveSettings = bare({ delay: server.keepAliveInitialDelay, ...server[kKeepAlive] });
    link.setKeepAlive(true, link.keepAliveSettings);
  }
}
