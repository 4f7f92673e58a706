import t from 'tap';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { sameAsNode } from '../support/compare';
import { closing, closed, closeServer, listen } from '../support/sockets';

sameAsNode(t, 'events run in the context their socket was made in', async ({ net, log }) => {
  const storage = new AsyncLocalStorage<string>();
  const server = net.createServer();
  const port = await storage.run('listen', () => listen(server));
  server.on('connection', (socket) => {
    log('connection', storage.getStore());
    storage.run('handler', () => {
      socket.on('data', (chunk) => {
        log('server data', storage.getStore());
        socket.end(chunk);
      });
      socket.on('end', () => log('server end', storage.getStore()));
    });
  });
  const client = storage.run('connect', () => net.connect(port, '127.0.0.1'));
  await once(client, 'connect');
  client.on('close', () => log('client close', storage.getStore()));
  client.on('data', () => log('client data', storage.getStore()));
  storage.run('write', () => client.write('x', () => log('written', storage.getStore())));
  await closing(client);
  await closeServer(server);
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
