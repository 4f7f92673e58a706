import t from 'tap';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { load, run } from '../support/child';
import { sameAsNode } from '../support/compare';
import { connectedPair, delay, listen, closeServer } from '../support/sockets';

sameAsNode(t, 'a quiet socket times out, and only that', async ({ net: module, watch, log }) => {
  const { client, close } = await connectedPair(module);
  watch('client', client, ['timeout', 'error', 'close']);
  client.setTimeout(40, () => log('callback'));
  log(client.timeout);
  await once(client, 'timeout');
  log(client.destroyed);
  client.setTimeout(0);
  await delay(80);
  await close();
});

sameAsNode(t, 'the option of connect()', async ({ net: module, log }) => {
  const server = module.createServer();
  const port = await listen(server);
  const client = module.connect({ port, host: '127.0.0.1', timeout: 40 });
  await once(client, 'timeout');
  log(client.timeout);
  client.destroy();
  await closeServer(server);
});

t.test('reading and writing put the timeout off', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  peer.pipe(peer);
  client.resume();
  let timeouts = 0;
  client.setTimeout(150, () => timeouts++);
  for (let each = 0; each < 6; each++) {
    client.write('x');
    await delay(50);
  }
  test.equal(timeouts, 0);
  await once(client, 'timeout');
  test.equal(timeouts, 1);
  await close();
});

t.test('data that arrives puts the timeout off', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  client.resume();
  let timeouts = 0;
  client.setTimeout(150, () => timeouts++);
  for (let each = 0; each < 6; each++) {
    peer.write('x');
    await delay(50);
  }
  test.equal(timeouts, 0);
  await close();
});

t.test('no timeout after destroy()', async (test) => {
  const { client, close } = await connectedPair(net);
  client.setTimeout(30, () => test.fail('timed out after destroy'));
  await close();
  await delay(80);
});

t.test('a timeout alone does not keep the process', async (test) => {
  const { code, stdout } = await run(
    `${load('net')} new net.Socket().setTimeout(60_000); console.log('done');`,
  );
  test.strictSame([code, stdout.trim()], [0, 'done']);
});
