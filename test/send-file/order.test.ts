import t from 'tap';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import * as net from 'iocp-net';
import { engine } from 'iocp-net/engine';
import { sendFile } from 'iocp-net/promises';
import { kinds, sparseFile, temporaryFile } from '../support/files';
import { connectedPair, pattern, readAll } from '../support/sockets';

for (const [kind, connect] of Object.entries(kinds)) {
  t.test(`${kind}: a file comes between what is written before and after`, async (test) => {
    const { from, to, close } = await connect();
    const bytes = pattern(3_000_000);
    const path = temporaryFile(test, bytes);
    const received = readAll(to);
    from.write('before ');
    const first = sendFile(from, path, { head: '<', tail: '>' });
    from.write(' between ');
    const second = sendFile(from, path, { start: 10, end: 19 });
    from.end(' after');
    test.equal(await first, bytes.length);
    test.equal(await second, 10);
    const all = await received;
    const expected = Buffer.concat([
      Buffer.from('before <'),
      bytes,
      Buffer.from('> between '),
      bytes.subarray(10, 20),
      Buffer.from(' after'),
    ]);
    test.equal(all.length, expected.length);
    test.ok(all.equals(expected));
    if (kind !== 'secure') test.equal(from.bytesWritten, expected.length);
    test.equal(from.writableLength, 0);
    await close();
  });

  t.test(`${kind}: empty files, and files of all sizes`, async (test) => {
    const { from, to, close } = await connect();
    const sizes = [0, 1, 4096, 65_536, 262_144, 262_145, 1_048_576];
    const received = readAll(to);
    let expected = Buffer.alloc(0);
    for (const size of sizes) {
      const bytes = pattern(size);
      expected = Buffer.concat([expected, Buffer.from('['), bytes, Buffer.from(']')]);
      const path = temporaryFile(test, bytes);
      test.equal(await sendFile(from, path, { head: '[', tail: Buffer.from(']') }), size);
    }
    from.end();
    test.ok((await received).equals(expected));
    await close();
  });

  t.test(`${kind}: corked`, async (test) => {
    const { from, to, close } = await connect();
    const path = temporaryFile(test, Buffer.from('the file'));
    const received = readAll(to);
    from.cork();
    from.write('one ');
    from.write('two ');
    const first = sendFile(from, path);
    from.write(' three ');
    const second = sendFile(from, path);
    from.uncork();
    from.end();
    await Promise.all([first, second]);
    test.equal(String(await received), 'one two the file three the file');
    await close();
  });

  t.test(`${kind}: beyond the first 4 GiB of a file`, async (test) => {
    const { from, to, close } = await connect();
    const size = 2 ** 32 + 300_000;
    const { path, read } = sparseFile(test, size);
    const received = readAll(to);
    const parts: [number, number][] = [
      [size - 100_000, size - 1],
      [2 ** 32 - 50_000, 2 ** 32 + 49_999],
      [2 ** 32, 2 ** 32],
    ];
    for (const [start, end] of parts) {
      test.equal(await sendFile(from, path, { start, end }), end - start + 1);
    }
    from.end();
    const expected = Buffer.concat(parts.map(([start, end]) => read(start, end)));
    test.ok((await received).equals(expected));
    await close();
  });
}

t.test(
  'by path, URL, Buffer, descriptor and FileHandle; a descriptor keeps its place',
  async (test) => {
    const { peer, client, close } = await connectedPair(net);
    const from = peer as net.FileSendingSocket;
    const path = temporaryFile(test, Buffer.from('0123456789'));
    const descriptor = fs.openSync(path, 'r');
    const handle = await fs.promises.open(path);
    fs.readSync(descriptor, Buffer.alloc(3));
    const received = readAll(client);
    const sources = [path, pathToFileURL(path), Buffer.from(path), descriptor, handle];
    for (const source of sources) test.equal(await from.sendFile(source, { start: 8 }), 2);
    const rest = Buffer.alloc(7);
    fs.readSync(descriptor, rest);
    test.equal(String(rest), '3456789', 'position of the descriptor');
    test.equal(String(await handle.readFile()), '0123456789', 'the handle is still open');
    fs.closeSync(descriptor);
    await handle.close();
    from.end();
    test.equal(String(await received), '89'.repeat(sources.length));
    await close();
  },
);

t.test('with a callback', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  const path = temporaryFile(test, Buffer.from('called'));
  client.resume();
  const answer = await new Promise((resolve) => {
    const returned = from.sendFile(path, (...args) => resolve(args));
    test.equal(returned, undefined);
  });
  test.strictSame(answer, [null, 6]);
  const withOptions = await new Promise((resolve) => {
    from.sendFile(path, { start: 2 }, (...args) => resolve(args));
  });
  test.strictSame(withOptions, [null, 4]);
  await close();
});

t.test('before it is connected', async (test) => {
  const { server, port, close } = await connectedPair(net);
  const path = temporaryFile(test, pattern(100_000));
  const accepted = once(server, 'connection');
  const { directBytesSent } = engine.stats();
  const client = net.connect(port, '127.0.0.1');
  const sent = client.sendFile(path);
  client.end();
  const [peer] = (await accepted) as [net.Socket];
  test.ok((await readAll(peer)).equals(pattern(100_000)));
  test.equal(await sent, 100_000);
  test.equal(engine.stats().directBytesSent, directBytesSent, 'by the system, not as a write');
  client.destroy();
  await close();
});

t.test('progress, and memory that it does not take', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  const size = 20_000_000;
  const path = temporaryFile(test, pattern(size));
  const steps: [number, number][] = [];
  const sent = from.sendFile(path, { onProgress: (done, total) => steps.push([done, total]) });
  test.equal(from.writableLength, 0, 'a file waits outside of memory');
  await delay(200);
  test.ok(from.bytesWritten < size, 'the peer does not read');
  test.equal(from.write('x'), true, 'and there is room for what is written behind it');
  test.equal(from.write(Buffer.alloc(1 << 20)), false, 'until that is much');
  const drained = once(from, 'drain');
  client.resume();
  test.equal(await sent, size);
  await drained;
  test.ok(steps.length > 3, `${steps.length} steps`);
  test.ok(steps.every(([done, total], i) => total === size && done > (steps[i - 1]?.[0] ?? 0)));
  test.equal(steps.at(-1)?.[0], size);
  await close();
});

t.test('progress keeps a socket from its timeout, and standing still does not', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  const path = temporaryFile(test, pattern(64 << 20));
  let timeouts = 0;
  from.setTimeout(400, () => timeouts++);
  const sent = from.sendFile(path);
  const reading = setInterval(() => void client.read(2 << 20), 20);
  await sent;
  test.equal(timeouts, 0);
  clearInterval(reading);
  from.sendFile(path).catch(() => {});
  await once(from, 'timeout');
  await close();
});

t.test('a file that grows is sent as it was', async (test) => {
  const { peer, client, close } = await connectedPair(net);
  const from = peer as net.FileSendingSocket;
  const path = temporaryFile(test, pattern(16 << 20));
  const sent = from.sendFile(path);
  await delay(100);
  fs.appendFileSync(path, 'more');
  from.end();
  const [received, count] = await Promise.all([readAll(client), sent]);
  test.equal(received.length, 16 << 20);
  test.equal(count, 16 << 20);
  await close();
});

t.test('many sockets, one file each way', async (test) => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => connectedPair(net)));
  const bytes = pattern(700_000);
  const path = temporaryFile(test, bytes);
  await Promise.all(
    pairs.map(async ({ peer, client, close }) => {
      const ends = [peer, client] as net.FileSendingSocket[];
      const received = ends.map((end) => readAll(end));
      await Promise.all(ends.map((end) => end.sendFile(path, { head: 'h', tail: 't' })));
      for (const end of ends) end.end();
      for (const all of await Promise.all(received)) {
        test.ok(all.subarray(1, -1).equals(bytes));
      }
      await close();
    }),
  );
});
