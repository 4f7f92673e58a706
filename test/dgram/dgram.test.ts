import t from 'tap';
import { once } from 'node:events';
import type * as nodeDgram from 'node:dgram';
import { networkInterfaces } from 'node:os';
import * as dgram from 'iocp-net/dgram';
import { engine } from 'iocp-net/engine';
import { sameAsNodeDgram } from '../support/compare';

type Socket = nodeDgram.Socket;
type Dgram = typeof nodeDgram;

const isWindows = process.platform === 'win32';
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.family === 'IPv6');

async function bound(
  { createSocket }: Dgram,
  type: nodeDgram.SocketType = 'udp4',
  options: Partial<nodeDgram.SocketOptions> = {},
): Promise<Socket> {
  const socket = createSocket({ type, ...options });
  socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
  await once(socket, 'listening');
  return socket;
}

const closed = (socket: Socket): Promise<unknown> => {
  const end = once(socket, 'close');
  socket.close();
  return end;
};

/** The next so many messages, as text, with what is the same each time of their senders. */
async function messages(socket: Socket, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  while (seen.length < count) {
    const [bytes, sender] = (await once(socket, 'message')) as [Buffer, nodeDgram.RemoteInfo];
    seen.push([bytes.toString('latin1').slice(0, 80), bytes.length, sender.family, sender.size]);
  }
  return seen;
}

t.test('it runs on the core', { skip: engine.backend === 'node' }, async (test) => {
  const before = engine.stats();
  const socket = await bound(dgram);
  const arrives = once(socket, 'message');
  socket.send('to myself', socket.address().port, '127.0.0.1');
  await arrives;
  const after = engine.stats();
  test.equal(after.datagramsReceived - before.datagramsReceived, 1);
  test.equal(after.datagramsSent - before.datagramsSent, 1);
  test.equal(after.datagramSocketsOpen, 1);
  await closed(socket);
});

for (const type of ['udp4', 'udp6'] as const) {
  if (type === 'udp6' && !hasIpv6) continue;
  const host = type === 'udp4' ? '127.0.0.1' : '::1';

  for (const length of [0, 1, 64, 65, 1200, 9000, 65507]) {
    sameAsNodeDgram(t, `${type}: ${length} bytes there and back`, async ({ dgram, log }) => {
      const server = await bound(dgram, type);
      server.on('message', (bytes, { port, address }) => server.send(bytes, port, address));
      const client = await bound(dgram, type);
      const answer = messages(client, 1);
      const bytes = Buffer.alloc(length, 'abc');
      const sent = await new Promise((resolve) =>
        client.send(bytes, server.address().port, host, (...args) => resolve(args)),
      );
      log(sent, await answer);
      await Promise.all([closed(server), closed(client)]);
    });
  }

  sameAsNodeDgram(t, `${type}: connected`, async ({ dgram, log }) => {
    const server = await bound(dgram, type);
    const client = dgram.createSocket(type);
    client.connect(server.address().port, host);
    await once(client, 'connect');
    log(client.remoteAddress().port === server.address().port, client.remoteAddress().address);
    const first = messages(server, 3);
    client.send('one');
    client.send(['t', 'w', Buffer.from('o')]);
    client.send('-three-', 1, 5);
    log(await first);
    client.disconnect();
    try {
      client.remoteAddress();
    } catch (error) {
      log(error);
    }
    await Promise.all([closed(server), closed(client)]);
  });

  sameAsNodeDgram(t, `${type}: addresses`, async ({ dgram, log }) => {
    const socket = await bound(dgram, type);
    const { address, family, port } = socket.address();
    log(address, family, port > 0);
    await closed(socket);
  });
}

sameAsNodeDgram(t, 'every way to send', async ({ dgram, log }) => {
  const server = await bound(dgram);
  const client = dgram.createSocket('udp4');
  const { port } = server.address();
  const all = messages(server, 8);
  const done = (error: Error | null, bytes: number): void => log(error, bytes);
  await new Promise<void>((resolve) => client.send('text', port, () => resolve()));
  client.send(Buffer.from('buffer'), port, '127.0.0.1', done);
  client.send(new Uint16Array([0x4142, 0x4344]), port, '127.0.0.1', done);
  client.send(new DataView(Buffer.from('-view-').buffer, 0, 0), port, '127.0.0.1', done);
  client.send(['li', Buffer.from('st')], port, '127.0.0.1', done);
  client.send([], port, '127.0.0.1', done);
  client.send('-offset-', 1, 6, port, '127.0.0.1', done);
  client.send(Buffer.from('-default-'), 1, 7, port, done);
  log(await all);
  log(client.getSendQueueSize(), client.getSendQueueCount());
  await Promise.all([closed(server), closed(client)]);
});

sameAsNodeDgram(t, 'errors of sending', async ({ dgram, log }) => {
  const client = await bound(dgram);
  const send = (...args: unknown[]): Promise<unknown> =>
    new Promise((resolve) =>
      // Of one that had to wait Node tells a number of bytes, too, where it failed.
      (client.send as (...args: unknown[]) => void)(...args, (error: unknown) => resolve(error)),
    );
  log(await send(Buffer.alloc(65508), 9, '127.0.0.1'));
  log(await send(Buffer.alloc(100_000), 9, '127.0.0.1'));
  log(await send('another family', 9, '::1'));
  if (!isWindows) log(await send('broadcast, not allowed', 9, '255.255.255.255'));
  await closed(client);
});

sameAsNodeDgram(t, 'many at once arrive in order', async ({ dgram, log }) => {
  const server = await bound(dgram);
  const client = dgram.createSocket('udp4');
  const count = 200;
  const seen: number[] = [];
  const all = new Promise<void>((resolve) => {
    server.on('message', (bytes) => {
      seen.push(Number(bytes.toString()));
      if (seen.length === count) resolve();
    });
  });
  let sent = 0;
  const allSent = new Promise<void>((resolve) => {
    for (let i = 0; i < count; i++) {
      client.send(`${i}`, server.address().port, '127.0.0.1', () => {
        if (++sent === count) resolve();
      });
    }
  });
  await Promise.all([all, allSent]);
  log(seen.every((each, index) => each === index));
  await Promise.all([closed(server), closed(client)]);
});

t.test('what came is the program’s, in memory of its own', async (test) => {
  const server = await bound(dgram);
  const client = await bound(dgram);
  const kept: Buffer[] = [];
  server.on('message', (bytes) => kept.push(bytes));
  const sent = ['a'.repeat(10), 'b'.repeat(100), 'c'.repeat(2000)];
  for (const each of sent) client.send(each, server.address().port, '127.0.0.1');
  while (kept.length < sent.length) await once(server, 'message');
  test.same(kept.map(String), sent);
  for (const bytes of kept) {
    test.equal(bytes.buffer.byteLength, bytes.length);
    bytes.fill(0);
  }
  client.send('d', server.address().port, '127.0.0.1');
  await once(server, 'message');
  test.equal(String(kept[3]), 'd');
  await Promise.all([closed(server), closed(client)]);
});

t.test('what is sent is what it was at the call', async (test) => {
  const server = await bound(dgram);
  const client = await bound(dgram);
  // Answers while others follow are held for a moment.
  client.on('message', () => {
    const bytes = Buffer.from('kept');
    client.send(bytes, server.address().port, '127.0.0.1', () => bytes.fill('x'));
  });
  const all = messages(server, 40);
  for (let i = 0; i < 40; i++) server.send('go', client.address().port, '127.0.0.1');
  test.same(
    (await all).map((each) => (each as unknown[])[0]),
    Array(40).fill('kept'),
  );
  await Promise.all([closed(server), closed(client)]);
});

// Windows does not say so; what Wine says is not passed on.
if (!isWindows) {
  sameAsNodeDgram(t, 'nobody at the connected peer’s port', async ({ dgram, log }) => {
    const gone = await bound(dgram);
    const { port } = gone.address();
    await closed(gone);
    const client = dgram.createSocket('udp4');
    client.connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.on('error', (error) => log(error));
    client.send('hello');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await closed(client);
  });
}

sameAsNodeDgram(t, 'an address in use, and binding again', async ({ dgram, log }) => {
  const first = await bound(dgram);
  const { port } = first.address();
  const second = dgram.createSocket('udp4');
  second.bind(port, '127.0.0.1');
  const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
  log(error.code, error.syscall, error.message.replace(String(port), 'PORT'));
  await closed(first);
  second.bind(port, '127.0.0.1');
  await once(second, 'listening');
  log('bound');
  await closed(second);
});

sameAsNodeDgram(t, 'reuseAddr', async ({ dgram, log }) => {
  const first = await bound(dgram, 'udp4', { reuseAddr: true });
  const second = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  second.bind(first.address().port, '127.0.0.1');
  await once(second, 'listening');
  log('both bound');
  await Promise.all([closed(first), closed(second)]);
});

sameAsNodeDgram(t, 'options before and after binding', async ({ dgram, log }) => {
  const socket = dgram.createSocket('udp4');
  const attempt = (name: string, ...args: unknown[]): void => {
    try {
      log(name, args, Reflect.apply(Reflect.get(socket, name) as () => unknown, socket, args));
    } catch (error) {
      log(name, args, error);
    }
  };
  const all = (): void => {
    attempt('setTTL', 1);
    attempt('setTTL', 0);
    attempt('setTTL', 256);
    attempt('setTTL', 'x');
    attempt('setMulticastTTL', 8);
    attempt('setMulticastTTL', 1000);
    attempt('setMulticastLoopback', true);
    attempt('setBroadcast', true);
    attempt('setRecvBufferSize', 20000);
    attempt('setSendBufferSize', 20000);
    attempt('setRecvBufferSize', -1);
    attempt('getRecvBufferSize');
    attempt('getSendBufferSize');
    attempt('setMulticastInterface', '127.0.0.1');
    attempt('setMulticastInterface', 'nothing');
    attempt('getSendQueueSize');
    attempt('dropMembership', '224.0.0.200');
    attempt('addMembership', 'nothing');
    attempt('addMembership', '1.2.3.4');
  };
  all();
  socket.bind(0, '127.0.0.1');
  // Joining a group has bound it, which the system says or not.
  log(await once(socket, 'listening').then(() => 'listening', String));
  await closed(socket);
  const other = await bound(dgram);
  other.setTTL(3);
  await closed(other);
  try {
    other.setTTL(1);
  } catch (error) {
    log(String(error));
  }
  try {
    other.address();
  } catch (error) {
    log(error);
  }
});

/** An interface over which the loopback carries a group, if this machine lets us. */
sameAsNodeDgram(t, 'multicast on the loopback', async ({ dgram, log }) => {
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(0);
  await once(socket, 'listening');
  const group = '239.255.77.77';
  try {
    socket.addMembership(group, '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1');
    socket.setMulticastLoopback(true);
    socket.setMulticastTTL(1);
    const arrives = messages(socket, 1);
    socket.send('to the group', socket.address().port, group);
    log(await arrives);
    socket.dropMembership(group, '127.0.0.1');
    socket.addSourceSpecificMembership('127.0.0.1', '232.1.2.3', '127.0.0.1');
    const fromSource = messages(socket, 1);
    socket.send('to those who chose the source', socket.address().port, '232.1.2.3');
    log(await fromSource);
    socket.dropSourceSpecificMembership('127.0.0.1', '232.1.2.3', '127.0.0.1');
  } catch (error) {
    log(error);
  }
  await closed(socket);
});

sameAsNodeDgram(t, 'an AbortSignal closes', async ({ dgram, log }) => {
  const controller = new AbortController();
  const socket = dgram.createSocket({ type: 'udp4', signal: controller.signal });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const end = once(socket, 'close');
  controller.abort();
  await end;
  log('closed');
  const late = dgram.createSocket({ type: 'udp4', signal: AbortSignal.abort() });
  await once(late, 'close');
  log('closed, too');
});

sameAsNodeDgram(t, 'closing before what was sent has left', async ({ dgram, log }) => {
  const socket = dgram.createSocket('udp4');
  socket.send('x', 9, '127.0.0.1', (error) => log('sent', error));
  socket.close(() => log('closed'));
  await once(socket, 'close');
  await new Promise((resolve) => setImmediate(resolve));
  log('over');
});

t.test('a socket of ours is one of Node’s', (test) => {
  const { Socket } = process.getBuiltinModule('node:dgram');
  const socket = dgram.createSocket('udp4');
  test.ok(socket instanceof Socket);
  test.ok(socket instanceof dgram.Socket);
  test.ok(dgram.createSocket('udp4').close() instanceof dgram.Socket);
  socket.close();
  test.end();
});

sameAsNodeDgram(t, 'bad types', async ({ dgram, log }) => {
  for (const type of ['', 'udp5', null, undefined, 4, {}]) {
    try {
      dgram.createSocket(type as never);
    } catch (error) {
      log(error);
    }
  }
});
