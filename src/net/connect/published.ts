/** Tells tracing tools of client sockets. */
import diagnosticsChannel from 'node:diagnostics_channel';
import { nodeMajor } from '../node/version';
import type { NetSocket } from '../node/internals';

const clientSocketChannel = diagnosticsChannel.channel('net.client.socket');

// Up to Node 20 `net.connect()` publishes, later `socket.connect()` does.
const connectPublishes = nodeMajor >= 22;

/** Tells of a socket that is about to connect, where the running Node does so. */
export function publishClientSocket(socket: NetSocket, from: 'net' | 'socket'): void {
  const publishes = (from === 'socket') === connectPublishes;
  if (publishes && clientSocketChannel.hasSubscribers) clientSocketChannel.publish({ socket });
}
