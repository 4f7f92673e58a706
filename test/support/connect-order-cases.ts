/**
 * In which order the two ends of a connection within one process learn of it, when it is made, used
 * and answered in one tick.
 */
import type * as nodeNet from 'node:net';
import type { Test } from 'tap';
import { sameAsNode, type Scenario } from './compare';
import { listenAt, localPath } from './local';
import { closeServer, closing, listen, quiet } from './sockets';

type Target = nodeNet.NetConnectOpts;

/** Where to connect to. */
const places: Record<string, (server: nodeNet.Server) => Promise<Target>> = {
  tcp: async (server) => ({ port: await listen(server), host: '127.0.0.1' }),
  local: async (server) => {
    const path = localPath();
    await listenAt(server, path);
    return { path };
  },
};

/** What the client does in the tick in which it connects. */
const uses: Record<string, (client: nodeNet.Socket, log: Scenario['log']) => void> = {
  'write()': (client, log) => void client.write('x', () => log('written')),
  'two writes': (client, log) => {
    client.write('x', () => log('written'));
    client.write('y', () => log('second written'));
  },
  'end()': (client, log) => void client.end('x', () => log('ended')),
  nothing: () => {},
};

export function connectOrderCases(t: Test): void {
  for (const [place, targetOf] of Object.entries(places)) {
    for (const [what, use] of Object.entries(uses)) {
      sameAsNode(t, `${place}: ${what}`, async ({ net, log }) => {
        const server = net.createServer((peer) => {
          log('connection');
          quiet(peer).once('data', (chunk) => {
            log('peer data', String(chunk));
            peer.end('answer', () => log('answered'));
          });
          if (what === 'nothing') peer.end('greeting');
        });
        const target = await targetOf(server);
        const client = quiet(net.connect(target, () => log('callback')));
        for (const event of ['connect', 'ready']) client.on(event, () => log(event));
        client.on('data', (chunk: Buffer) => log('data', String(chunk)));
        process.nextTick(() => log('tick'));
        use(client, log);
        await closing(client);
        await closeServer(server);
      });
    }
  }
}
