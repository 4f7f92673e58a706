import t from 'tap';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { closed, closeServer, delay, listen, pattern } from '../support/sockets';

const bytes = pattern(100_000);

async function sender(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = net.createServer((socket) => socket.end(bytes));
  const port = await listen(server);
  return { port, close: () => closeServer(server) };
}

t.test('bytes go into the buffer of the user', async (test) => {
  const { port, close } = await sender();
  const buffer = Buffer.alloc(1000);
  const received: Buffer[] = [];
  const client = net.connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer,
      callback(length, same) {
        test.equal(same, buffer);
        received.push(Buffer.from(same.subarray(0, length)));
        return true;
      },
    },
  });
  client.on('data', () => test.fail('no data events'));
  await once(client, 'end');
  test.ok(Buffer.concat(received).equals(bytes));
  await closed(client);
  await close();
});

t.test('a function gives a buffer for each piece', async (test) => {
  const { port, close } = await sender();
  let given = 0;
  let taken = 0;
  const client = net.connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: () => Buffer.alloc(1000 + given++),
      callback: (length, buffer) => {
        test.equal(buffer.length, 1000 + taken++);
        return length > 0;
      },
    },
  });
  client.resume();
  await once(client, 'end');
  test.equal(given, taken + 1, 'one more is always ready');
  await close();
});

for (const how of ['pause()', 'false'] as const) {
  t.test(`${how} in the callback holds what is left`, async (test) => {
    const { port, close } = await sender();
    const received: Buffer[] = [];
    const client: net.Socket = net.connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(7000),
        callback: (length, buffer) => {
          received.push(Buffer.from(buffer.subarray(0, length)));
          if (received.length !== 3) return true;
          setTimeout(() => client.resume(), 60);
          if (how === 'false') return false;
          client.pause();
          return true;
        },
      },
    });
    await once(client, 'connect');
    await delay(30);
    test.equal(received.length, 3);
    await once(client, 'end');
    test.ok(Buffer.concat(received).equals(bytes));
    await close();
  });
}

for (const [name, module] of Object.entries({ 'node:net': nodeNet, 'iocp-net': net })) {
  t.test(`pause() takes back no resume() before there is a connection (${name})`, async (test) => {
    const { port, close } = await sender();
    let calls = 0;
    const callback = (): boolean => ++calls > 0;
    const client = module.connect({
      port,
      host: '127.0.0.1',
      onread: { buffer: Buffer.alloc(1000), callback },
    });
    client.resume().pause();
    await once(client, 'end');
    test.ok(calls > 0 && client.isPaused());
    client.destroy();
    await close();
  });

  t.test(`false once more, of what resume() hands over (${name})`, async (test) => {
    const { port, close } = await sender();
    let calls = 0;
    const callback = (): boolean => ++calls > 2;
    const client = module.connect({
      port,
      host: '127.0.0.1',
      onread: { buffer: Buffer.alloc(1000), callback },
    });
    await delay(100);
    test.equal(calls, 1);
    client.resume();
    await delay(100);
    test.equal(calls, 2);
    client.resume();
    await once(client, 'end');
    test.equal(client.bytesRead, bytes.length);
    await close();
  });
}
