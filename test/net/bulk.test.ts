/** Bulk, which the core receives in chunks of up to 256 KiB and the program in reads of 64. */
import t from 'tap';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { run } from '../support/child';
import { connectedPair, delay, pattern } from '../support/sockets';

const total = 24 << 20;
const whole = pattern(total);

const completedReceives = (): number => engine.stats().operations.receive?.completed ?? 0;

function sendAll(socket: net.Socket): void {
  for (let at = 0; at < total; at += 1 << 20) socket.write(whole.subarray(at, at + (1 << 20)));
  socket.end();
}

t.test('reads are of 64 KiB at most, whatever the core received', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const before = completedReceives();
  const reads: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => {
    reads.push(chunk);
    // Also where they stop in the middle of what was received.
    if (reads.length % 10 !== 0) return;
    peer.pause();
    setTimeout(() => peer.resume(), 5);
  });
  sendAll(client);
  await once(peer, 'end');
  test.ok(Math.max(...reads.map(({ length }) => length)) <= 65_536);
  test.ok(Buffer.concat(reads).equals(whole));
  test.equal(peer.bytesRead, total);
  const received = completedReceives() - before;
  test.ok(received < reads.length, `${reads.length} reads of ${received} chunks`);
  await close();
});

t.test('each read has its own tick', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  sendAll(client);
  let at = 0;
  while (at < total) {
    const [chunk] = (await once(peer, 'data')) as [Buffer];
    if (!chunk.equals(whole.subarray(at, at + chunk.length))) test.fail(`wrong after ${at}`);
    at += chunk.length;
  }
  test.equal(at, total);
  await close();
});

t.test('a socket that is destroyed in the middle reads no more', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  let after = 0;
  peer.on('data', () => {
    if (peer.destroyed) after++;
    else if (peer.bytesRead > total / 4) peer.destroy();
  });
  client.on('error', () => {});
  sendAll(client);
  await once(peer, 'close');
  await delay(20);
  test.equal(after, 0);
  await close();
});

const thrower = `
  const net = require('iocp-net');
  const whole = Buffer.alloc(${total}, 'iocp');
  let thrown = 0;
  let bytes = 0;
  process.on('uncaughtException', () => thrown++);
  const server = net.createServer((socket) => {
    let reads = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (++reads % 7 === 0) throw new Error('in a listener');
    });
    socket.on('end', () => {
      console.log(bytes === whole.length, thrown > 5);
      socket.destroy();
      server.close();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    net.connect(server.address().port, '127.0.0.1').on('error', () => {}).end(whole);
  });
`;

t.test('what a listener throws costs no other read', async (test) => {
  const { code, stdout } = await run(thrower, 30_000);
  test.strictSame([code, stdout.trim()], [0, 'true true']);
});
