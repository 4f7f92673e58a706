/** Servers with limits, for tests: who came in, and who was dropped, and why. */
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import type { DropArgument, ServerLimits } from 'iocp-net';
import { engine } from 'iocp-net/engine';
import type { DropStats } from 'iocp-net/engine';
import { closed, closeServer, closing, listen, quiet } from './sockets';

export interface Limited {
  server: nodeNet.Server;
  port: number;
  /** Accepted, in order. */
  peers: nodeNet.Socket[];
  drops: DropArgument[];
  /** Of the accepted sockets. */
  errors: (Error & { code?: string; limit?: string })[];
  /** Connects, and waits until it was let in or dropped. */
  connect: (options?: Partial<nodeNet.TcpNetConnectOpts>) => Promise<nodeNet.Socket>;
  /** Drops since the server was made. */
  counted: () => DropStats;
  close: () => Promise<void>;
}

/** `start`: what is done with each accepted socket; by default it is read. */
export async function limitedServer(
  limits: ServerLimits,
  start: (peer: nodeNet.Socket) => void = (peer) => void peer.resume(),
  options: nodeNet.ServerOpts = {},
): Promise<Limited> {
  const before = engine.stats().drops;
  const peers: nodeNet.Socket[] = [];
  const drops: DropArgument[] = [];
  const errors: Limited['errors'] = [];
  const clients: nodeNet.Socket[] = [];
  const server = net.createServer({ ...options, limits }, (peer) => {
    peers.push(peer);
    void closing(peer.on('error', (error) => errors.push(error)));
    start(peer);
  });
  server.on('drop', (data) => drops.push(data as DropArgument));
  const port = await listen(server);
  const connect: Limited['connect'] = async (given) => {
    const settled = peers.length + drops.length;
    const client = quiet(net.connect({ port, host: '127.0.0.1', ...given }));
    clients.push(client);
    void closing(client);
    client.resume();
    while (peers.length + drops.length === settled) await new Promise(setImmediate);
    return client;
  };
  const counted = (): DropStats => {
    const { drops: now } = engine.stats();
    const names = Object.keys(now) as (keyof DropStats)[];
    return Object.fromEntries(names.map((name) => [name, now[name] - before[name]])) as DropStats;
  };
  const close = async (): Promise<void> => {
    await Promise.all([...clients, ...peers].filter((each) => !each.closed).map(closed));
    await closeServer(server);
  };
  return { server, port, peers, drops, errors, connect, counted, close };
}
