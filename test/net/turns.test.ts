/** Which callbacks come before which others, within a process that is both ends. */
import t from 'tap';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sameAsNode } from '../support/compare';
import * as net from 'iocp-net';
import { openPolled } from '../support/polled';
import { closeServer, connectedPair, listen, pattern } from '../support/sockets';

sameAsNode(t, 'setImmediate() comes before the answer to a write', async ({ net, log }) => {
  const { client, peer, close } = await connectedPair(net);
  const rounds = 50;
  let round = 0;
  peer.on('data', (chunk) => peer.write(chunk));
  client.on('data', () => {
    log('answer', round);
    if (++round === rounds) client.emit('done');
    else next();
  });
  const next = (): void => {
    client.write('x');
    setImmediate(() => log('immediate', round));
  };
  next();
  await once(client, 'done');
  await new Promise(setImmediate);
  await close();
});

/** Writes, and ends, each after a while. */
const CLIENT = `
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1', () => {
    setTimeout(() => socket.write('x'), 100);
    setTimeout(() => socket.end(), 200);
  });
  socket.resume();
`;

sameAsNode(t, 'setImmediate() comes before what libuv finds in its poll', async ({ net, log }) => {
  const polled = await openPolled();
  const server = net.createServer();
  const port = await listen(server);
  const both = (event: string): void => {
    polled.next(() => log(event, 'polled'));
    setImmediate(() => log(event, 'immediate'));
  };
  server.on('connection', (peer) => {
    both('connection');
    peer.once('data', () => both('data')).once('end', () => both('end'));
  });
  // A process of its own: nothing else is to happen in ours meanwhile.
  const client = spawn(process.execPath, ['-e', CLIENT, String(port)], { stdio: 'ignore' });
  const [code] = (await once(client, 'exit')) as [number];
  await Promise.all([polled.close(), closeServer(server)]);
  return code;
});

sameAsNode(t, "setImmediate() comes before a destroyed socket's 'close'", async ({ net, log }) => {
  const { client, peer, close } = await connectedPair(net);
  peer.on('data', () => {
    peer.destroy();
    setImmediate(() => log('immediate'));
  });
  peer.on('close', () => log('close'));
  client.write('x');
  await once(peer, 'close');
  await close();
});

t.test('setImmediate() comes before the reads of the next turn, in bulk', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const total = 32 << 20;
  let reads = 0;
  let most = 0;
  peer.on('data', () => {
    reads++;
    void Promise.resolve().then(() => {
      const before = reads;
      setImmediate(() => (most = Math.max(most, reads - before)));
    });
  });
  client.end(pattern(total));
  await once(peer, 'end');
  test.equal(peer.bytesRead, total);
  test.ok(most < 16, `${most} reads came first`);
  await close();
});
