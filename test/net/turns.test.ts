/** Which callbacks come before which others, within a process that is both ends. */
import t from 'tap';
import { once } from 'node:events';
import { sameAsNode } from '../support/compare';
import * as net from 'iocp-net';
import { connectedPair, pattern } from '../support/sockets';

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
