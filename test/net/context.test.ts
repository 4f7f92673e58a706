import t from 'tap';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { sameAsNode } from '../support/compare';
import { closing, closed, closeServer, listen } from '../support/sockets';

sameAsNode(t, 'events run in the context their socket was made in', async ({ net, log }) => {
  const storage = new AsyncLocalStorage<string>();
  const seen: Record<string, string | undefined> = {};
  const note = (what: string) => (): void => void (seen[what] = storage.getStore());
  const server = net.createServer();
  const port = await storage.run('listen', () => listen(server));
  server.on('connection', (socket) => {
    note('connection')();
    storage.run('handler', () => {
      socket.on('data', note('server data'));
      socket.on('data', (chunk) => socket.end(chunk, note('server end() callback')));
      socket.on('end', note('server end'));
      socket.on('close', note('server close'));
    });
  });
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = storage.run('connect', () => net.connect(port, '127.0.0.1'));
  client.on('connect', note('client connect'));
  client.on('data', note('client data'));
  client.on('end', note('client end'));
  client.on('close', note('client close'));
  void closing(client);
  const [peer] = await accepted;
  void closing(peer);
  storage.run('write', () => client.write('x', note('written')));
  await closing(client);
  await closing(peer);
  await closeServer(server);
  log(seen);
});

sameAsNode(t, 'two clients do not mix their contexts', async ({ net, log }) => {
  const storage = new AsyncLocalStorage<number>();
  const server = net.createServer((socket) => socket.pipe(socket));
  const port = await listen(server);
  const seen: (number | undefined)[][] = [];
  await Promise.all(
    Array.from({ length: 10 }, (_, number) =>
      storage.run(number, async () => {
        const client = net.connect(port, '127.0.0.1');
        const stores: (number | undefined)[] = [];
        client.on('connect', () => stores.push(storage.getStore()));
        client.on('data', () => stores.push(storage.getStore()));
        client.write('x');
        await once(client, 'data');
        await closed(client);
        seen[number] = stores;
      }),
    ),
  );
  log(seen);
  await closeServer(server);
});
