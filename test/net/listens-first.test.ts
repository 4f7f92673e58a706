/**
 * Who listens learns of a connection before who connects, also where one of the two is Node's and
 * the other ours: a server that is closed by its first client has that connection. On Windows
 * Node's own do not promise that.
 */
import t from 'tap';
import * as nodeNet from 'node:net';
import * as ours from 'iocp-net';
import { closing } from '../support/sockets';
import { localPath, onWindows } from '../support/local';

const nets = { 'node:net': nodeNet, 'iocp-net': ours as unknown as typeof nodeNet };
const addresses = {
  tcp: (): nodeNet.ListenOptions => ({ port: 0, host: '127.0.0.1' }),
  local: (): nodeNet.ListenOptions => ({ path: localPath() }),
};

async function exchange(
  serves: typeof nodeNet,
  connects: typeof nodeNet,
  address: nodeNet.ListenOptions,
): Promise<string[]> {
  const seen: string[] = [];
  const server = serves.createServer((peer) => {
    seen.push('connection');
    peer
      .on('error', ({ message }) => seen.push(message))
      .on('data', (data) => seen.push(data.toString()));
    peer.end('bye');
  });
  await new Promise<void>((resolve) => server.listen(address, resolve));
  const bound = server.address();
  const target = typeof bound === 'string' ? { path: bound } : { port: Number(bound?.port) };
  const client = connects.connect(
    { host: '127.0.0.1', ...target } as nodeNet.NetConnectOpts,
    () => {
      seen.push('connect');
      server.close();
      client.end('hello');
    },
  );
  client.on('error', ({ message }) => seen.push(message)).resume();
  await Promise.all([closing(client), new Promise((resolve) => server.once('close', resolve))]);
  return seen;
}

const pairs = [
  ['node:net', 'node:net'],
  ['node:net', 'iocp-net'],
  ['iocp-net', 'node:net'],
  ['iocp-net', 'iocp-net'],
] as const;

for (const [kind, address] of Object.entries(addresses)) {
  for (const [serves, connects] of pairs) {
    t.test(`${kind}: ${serves} serves, ${connects} connects`, { skip: onWindows }, async (test) => {
      const seen = await exchange(nets[serves], nets[connects], address());
      test.same(seen, ['connection', 'connect', 'hello']);
    });
  }
}
