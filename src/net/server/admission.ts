/** What becomes of a server's new connections. */
import diagnosticsChannel from 'node:diagnostics_channel';
import type * as nodeNet from 'node:net';
import type { Connection } from '../../port/contract';
import { bare } from '../bare';
import { takeHandle } from '../handle/handle';
import type { SocketHandle } from '../handle/handle-interface';
import { kConnection, kLink } from '../node/internals';
import type { NetServer } from '../node/internals';
import { nodeMajor } from '../node/version';
import type { LinkedSocket, SocketLink } from '../socket/link';
import { Socket } from '../socket/socket';

const serverSocketChannel = diagnosticsChannel.channel('net.server.socket');

// Up to Node 20 a maxConnections of 0 means no limit.
const zeroIsLimit = nodeMajor >= 22;

function isFull({ maxConnections, _connections }: NetServer): boolean {
  const limit = maxConnections as number | null | undefined;
  if (limit === undefined || limit === null) return false;
  return (zeroIsLimit || limit !== 0) && _connections >= limit;
}

function dropInfo(connection: Connection): nodeNet.DropArgument {
  const info = Object.create(null) as nodeNet.DropArgument;
  const local = connection.localEndpoint();
  const remote = connection.peerEndpoint();
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

function isBlocked({ blockList }: NetServer, connection: Connection): boolean {
  if (!blockList) return false;
  const peer = connection.peerEndpoint();
  if (typeof peer === 'string') return false;
  return blockList.check(peer.address, peer.family === 'IPv6' ? 'ipv6' : 'ipv4');
}

/** Makes a socket of a connection, or turns it away. */
export function takeIn(
  server: NetServer,
  connection: Connection,
  handle: SocketHandle | null,
): void {
  if (isFull(server)) {
    const info = connection.kind === 'tcp' ? dropInfo(connection) : undefined;
    // Before anybody can throw: nobody else knows the connection.
    connection.close(false);
    if (info === undefined) server.emit('drop');
    else server.emit('drop', info);
  } else if (isBlocked(server, connection)) {
    connection.close(false);
  } else {
    admit(server, connection, handle);
  }
}

function admit(server: NetServer, connection: Connection, handle: SocketHandle | null): void {
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
  server.emit('connection', socket as unknown as nodeNet.Socket);
  if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
}

function applyServerOptions(server: NetServer, link: SocketLink): void {
  if (server.noDelay) {
    link.noDelay = true;
    link.setNoDelay(true);
  }
  if (server.keepAlive) {
    link.keepAlive = true;
    link.keepAliveSettings = bare({ delay: server.keepAliveInitialDelay });
    link.setKeepAlive(true, link.keepAliveSettings);
  }
}
