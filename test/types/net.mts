// The same by `import`: by name, as a namespace, and the default.
import net, { connect, createServer, Server, Socket } from 'iocp-net';
import * as namespace from 'iocp-net';
import type { AddressInfo, NetConnectOpts } from 'iocp-net';
import * as nodes from 'node:net';

export const byNamespace: Pick<typeof nodes, keyof typeof nodes & keyof typeof namespace> =
  namespace;
export const byDefault: typeof nodes = net;

export const socket: nodes.Socket = connect({ port: 1 } satisfies NetConnectOpts);
export const server: nodes.Server = createServer((peer) => peer.end());
export const made: [nodes.Socket, nodes.Server] = [new Socket(), new Server()];
export const port = (server.address() as AddressInfo).port;
