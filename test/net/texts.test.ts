/** Strings as they are written: every encoding, short and long, what has no place in it included. */
import t from 'tap';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { sameAsNode } from '../support/compare';
import { closeServer, connectedPair, readAll } from '../support/sockets';

const encodings = ['utf8', 'utf-8', 'latin1', 'binary', 'ascii', 'ucs2', 'hex', 'base64'] as const;

const texts: Record<string, string> = {
  nothing: '',
  ascii: 'Hello, world',
  'of one byte': 'grüße \u0000\u00ff',
  'of several bytes': 'Ω日本 😀',
  'half a pair': 'a\ud800b\udc00',
  'in pieces': ['a'.repeat(40), 'ü'.repeat(40), '日'.repeat(40)].join('') + String(Math.PI),
};

// About the sizes of the blocks that texts are encoded into, and beyond the last.
const sizes = [1, 100, 170, 171, 511, 512, 513, 1365, 5461, 5462, 16_383, 16_384, 16_385, 70_000];

for (const encoding of encodings) {
  sameAsNode(t, encoding, async ({ net, log }) => {
    const { client, peer, server } = await connectedPair(net);
    const received = readAll(peer);
    const write = (text: string): void => {
      client.write(text, encoding);
      log(text.length, client.bytesWritten);
    };
    for (const text of Object.values(texts)) write(text);
    for (const size of sizes) {
      write('x'.repeat(size));
      write('é'.repeat(size));
      await new Promise(setImmediate);
    }
    client.end('日本', encoding);
    const bytes = await received;
    log(bytes.length, bytes.toString('latin1'));
    await closeServer(server);
  });
}

// More than the system takes at once: what it has left over follows, and in its place. One at a time
// once it is full: of a thousand that wait node:net makes one call, which Wine refuses (EMSGSIZE).
sameAsNode(t, 'to a reader that comes late', async ({ net, log }) => {
  const { client, peer, server } = await connectedPair(net);
  const line = 'a line of text, with ü and 日\n'.repeat(300);
  let received: Promise<Buffer> | undefined;
  for (let i = 0; i < 2000; i++) {
    if (client.write(i + line, i % 2 === 0 ? 'utf8' : 'latin1')) continue;
    received ??= readAll(peer);
    await once(client, 'drain');
  }
  client.end();
  const bytes = (await received) ?? Buffer.alloc(0);
  log(bytes.length, client.bytesWritten, createHash('sha256').update(bytes).digest('hex'));
  await closeServer(server);
});
