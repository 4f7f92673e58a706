// The same by `import`: by name, as a namespace, and the default.
import net, { connect, createServer, Server, Socket } from 'iocp-net';
import * as namespace from 'iocp-net';
import type { AddressInfo, DropArgument, NetConnectOpts, ServerLimits } from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { createServer as createHttpServer } from 'iocp-net/http';
import { createServer as createTlsServer } from 'iocp-net/tls';
import type * as nodeHttp from 'node:http';
import * as nodes from 'node:net';

export const byNamespace: Pick<typeof nodes, keyof typeof nodes & keyof typeof namespace> =
  namespace;
export const byDefault: typeof nodes = net;

export const socket: nodes.Socket = connect({ port: 1 } satisfies NetConnectOpts);
export const server: nodes.Server = createServer((peer) => peer.end());
export const made: [nodes.Socket, nodes.Server] = [new Socket(), new Server()];
export const port = (server.address() as AddressInfo).port;

// What is ours beside Node's.
export const limits: ServerLimits = { connections: 1, idleMs: 1000 };
export const limited: nodes.Server = createServer({ noDelay: true, limits }, (peer) => peer.end());
export const limitedToo: nodes.Server = new Server({ limits });
export const ofHttp: nodeHttp.Server = createHttpServer({ limits }, (_request, response) => {
  response.end();
});
export const ofTls: nodes.Server = createTlsServer({ limits });
limited.on('drop', (data?: DropArgument) => data?.reason);
engine.configure({ limits: { queuedBytes: 1e9 } });
engine.configure({ ports: { stream: 2, datagram: true, multicast: { thread: true, core: 1 } } });
export const dropped: number = engine.stats().drops.idleMs;

export const sent: Promise<number> = connect(1).sendFile('file', {
  start: 1,
  onProgress: () => {},
});
createServer({ keepAlive: true, keepAliveInterval: 1000, keepAliveCount: 3 }, (peer) => {
  peer.sendFile(1, (error: Error | null, bytes: number) => void [error, bytes]);
});
class Own extends Socket {}
export const byOwn: Promise<number> = new Own({ keepAliveCount: 3 }).sendFile('file');
