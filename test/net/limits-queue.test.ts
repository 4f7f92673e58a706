/** Limits on what waits to be sent. */
import t from 'tap';
import { once } from 'node:events';
import * as http from 'iocp-net/http';
import * as net from 'iocp-net';
import { load, run } from '../support/child';
import { limitedServer } from '../support/limited';
import { closed, closeServer, closing, delay, listen, quiet } from '../support/sockets';

const PIECE = Buffer.alloc(64 * 1024, 'x');
const MIB = 1024 * 1024;

t.test('a reader that does not read is destroyed when too much waits for it', async (test) => {
  const limited = await limitedServer({ queuedBytes: MIB });
  const { peers, drops, errors, connect, counted, close } = limited;
  const client = await connect();
  client.pause();
  const [peer] = peers;
  if (peer === undefined) throw new Error('not let in');
  let most = 0;
  let pieces = 0;
  // The system's own buffers take some megabytes first.
  for (; !peer.destroyed && pieces < 2000; pieces++) {
    const goesOn = peer.write(PIECE);
    most = Math.max(most, peer.writableLength);
    if (peer.destroyed) test.equal(goesOn, false);
    if (pieces % 16 === 0) await delay(1);
  }
  test.ok(peer.destroyed, `${pieces} pieces`);
  test.ok(most <= MIB + PIECE.length, `at most ${most} bytes waited`);
  await closing(peer);
  test.equal(errors[0]?.code, 'ERR_IOCP_NET_LIMIT');
  test.equal(errors[0]?.limit, 'queuedBytes');
  test.equal(drops[0]?.reason, 'queuedBytes');
  test.equal(drops[0]?.remoteAddress, '127.0.0.1');
  test.equal(counted().queuedBytes, 1);
  await close();
});

t.test('who reads gets more than the limit in all', async (test) => {
  const limited = await limitedServer({ queuedBytes: MIB });
  const { peers, drops, connect, close } = limited;
  const client = await connect();
  let received = 0;
  client.on('data', (chunk) => (received += chunk.length));
  const [peer] = peers;
  for (let sent = 0; sent < 8 * MIB; sent += PIECE.length) {
    if (peer?.write(PIECE) === false) await once(peer, 'drain');
  }
  peer?.end();
  await closing(client);
  test.equal(received, 8 * MIB);
  test.equal(drops.length, 0);
  await close();
});

t.test('end() with more than the limit', async (test) => {
  const { peers, errors, connect, close } = await limitedServer({ queuedBytes: 2 * MIB });
  const client = await connect();
  client.pause();
  const [peer] = peers;
  // Windows takes a write of any size as long as there is room: first there has to be none.
  while (peer?.writableLength === 0) peer.write(PIECE);
  test.equal(peer?.destroyed, false);
  peer?.end(Buffer.alloc(2 * MIB));
  test.equal(peer?.destroyed, true);
  await delay(10);
  test.equal(errors[0]?.limit, 'queuedBytes');
  await close();
});

t.test('an HTTP answer that nobody reads', async (test) => {
  const server = http.createServer({ limits: { queuedBytes: MIB } }, (_request, response) => {
    const more = (): void => {
      if (response.destroyed) return;
      response.write(PIECE);
      setImmediate(more);
    };
    more();
  });
  const dropped = once(server, 'drop');
  const client = quiet(net.connect(await listen(server), '127.0.0.1'));
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [data] = (await dropped) as [net.DropArgument];
  test.equal(data.reason, 'queuedBytes');
  await closed(client);
  await closeServer(server);
});

t.test('of all sockets together the one with the longest queue has to go', async (test) => {
  const program = `${load('net')}${load('engine')}
    const MIB = 1024 * 1024;
    engine.engine.configure({ limits: { queuedBytes: 64 * MIB } });
    const peers = [];
    const dropped = [];
    const server = net.createServer((peer) => {
      peer.on('error', (error) => dropped.push([peers.indexOf(peer), error.code, error.limit]));
      peers.push(peer);
      if (peers.length === 3) fill();
    });
    server.on('drop', ({ reason }) => dropped.push(reason));
    const clients = [];
    server.listen(0, '127.0.0.1', async () => {
      for (let each = 0; each < 3; each++) {
        clients.push(net.connect(server.address().port, '127.0.0.1').on('error', () => {}));
        await new Promise((resolve) => clients[each].once('connect', resolve));
      }
    });
    function fill() {
      for (const peer of peers) while (peer.writableLength === 0) peer.write(Buffer.alloc(MIB));
      peers[0].write(Buffer.alloc(25 * MIB));
      peers[1].write(Buffer.alloc(35 * MIB));
      peers[2].write(Buffer.alloc(20 * MIB));
      const isDestroyed = peers.map(({ destroyed }) => destroyed);
      setTimeout(() => {
        const { totalQueuedBytes } = engine.engine.stats().drops;
        console.log(JSON.stringify({ isDestroyed, dropped, totalQueuedBytes }));
        process.exit();
      }, 50);
    }`;
  const { stdout, stderr } = await run(program);
  test.equal(stderr, '');
  test.strictSame(JSON.parse(stdout), {
    isDestroyed: [false, true, false],
    dropped: ['totalQueuedBytes', [1, 'ERR_IOCP_NET_LIMIT', 'totalQueuedBytes']],
    totalQueuedBytes: 1,
  });
});
