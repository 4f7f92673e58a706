import t from 'tap';
import { once } from 'node:events';
import { sameAsNode } from '../support/compare';
import {
  closing,
  closeServer,
  connectedPair,
  delay,
  listen,
  pattern,
  readAll,
} from '../support/sockets';

const events = ['end', 'finish', 'close', 'error'];

sameAsNode(t, 'a client that ends first, the server answers after', async ({ net, watch }) => {
  const server = net.createServer({ allowHalfOpen: true });
  const over = new Promise<unknown>((resolve) => {
    server.once('connection', (socket) => resolve(closing(socket)));
  });
  server.on('connection', (socket) => {
    watch('server', socket, events);
    socket.resume();
    socket.once('end', () => setTimeout(() => socket.end('late answer'), 20));
  });
  const port = await listen(server);
  const client = net.connect({ port, host: '127.0.0.1' });
  client.end('question');
  const answer = String(await readAll(client));
  await over;
  await closeServer(server);
  return answer;
});

sameAsNode(t, 'a server that ends first, the client goes on', async ({ net, watch, log }) => {
  const { client, peer, close } = await connectedPair(net, { client: { allowHalfOpen: true } });
  watch('client', client, events);
  const received = readAll(peer);
  client.resume();
  peer.end('bye');
  await once(client, 'end');
  log('half open', client.readyState, client.writable, client.destroyed);
  client.end('still here');
  const text = String(await received);
  await close();
  return text;
});

sameAsNode(t, 'without allowHalfOpen the answer to an end is an end', async ({ net, watch }) => {
  const { client, peer, server } = await connectedPair(net);
  watch('client', client, events);
  client.resume();
  peer.resume();
  peer.end();
  await closing(client);
  await closing(peer);
  await closeServer(server);
  return client.readyState;
});

sameAsNode(t, 'writing after the peer has ended', async ({ net, watch, log }) => {
  const { client, peer, server } = await connectedPair(net);
  watch('client', client, ['error']);
  client.resume();
  peer.resume();
  peer.end();
  await once(client, 'end');
  await new Promise<void>((resolve) => {
    client.write('too late', (error) => {
      log('write callback', error);
      resolve();
    });
  });
  await closeServer(server);
});

sameAsNode(t, 'end() before there is a connection', async ({ net, watch }) => {
  const server = net.createServer((socket) => {
    socket.resume();
    watch('server', socket, ['end']);
  });
  const port = await listen(server);
  const client = net.connect({ port, host: '127.0.0.1' });
  client.end();
  client.resume();
  await closing(client);
  await closeServer(server);
});

sameAsNode(t, 'the readable side ends although nobody reads', async ({ net, log }) => {
  const { client, peer, close } = await connectedPair(net);
  peer.end('unread');
  await delay(50);
  log(client.destroyed, client.readableEnded, client.readableLength);
  const received = String(await readAll(client));
  await close();
  return received;
});

sameAsNode(t, 'an end that is asked for twice is answered twice', async ({ net, log }) => {
  const { client, peer, close } = await connectedPair(net);
  const ending = client as unknown as { _final: (callback: () => void) => void };
  const end = (name: string): Promise<void> =>
    new Promise((resolve) => ending._final(() => resolve(log(name))));
  client.write(pattern(8 << 20)); // so much that the first has to wait
  const ends = [end('first'), end('second')];
  log('both asked for');
  peer.resume();
  await Promise.all(ends);
  await end('third');
  await close();
});
