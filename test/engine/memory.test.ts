/** What the memory of the engine looks like from outside. */
import t from 'tap';
import { engine } from 'iocp-net/engine';
import * as net from 'iocp-net';
import { connectedPair, receive } from '../support/sockets';

const MIB = 1 << 20;

t.test('is not counted as ArrayBuffers, which programs take for their own', async (test) => {
  const before = process.memoryUsage().arrayBuffers;
  const { client, peer, close } = await connectedPair(net);
  client.write('hello');
  test.equal(String(await receive(peer, 5)), 'hello');
  test.not(engine.backend, 'node');
  test.ok(process.memoryUsage().arrayBuffers - before < MIB);
  await close();
});
