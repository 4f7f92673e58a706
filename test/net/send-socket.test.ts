/** Sockets and servers that go to other processes. */
import t from 'tap';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import { join } from 'node:path';
import * as net from 'iocp-net';
import { kConnection } from '#dist/net/node/internals.js';
import { closed, closeServer, closing, listen, quiet, readAll } from '../support/sockets';
import type { Received } from '../support/receiver';

const isWindows = process.platform === 'win32';
const notOnWindows = { skip: isWindows && 'sockets stay with their process on Windows' };
const receiver = join(__dirname, '../support/receiver.js');

async function startReceiver(register: boolean): Promise<ChildProcess> {
  const env = { ...process.env, RECEIVER_REGISTER: register ? '1' : '' };
  const child = fork(receiver, [], { env, execArgv: [] });
  await once(child, 'message');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.send('end');
  await exited;
}

async function reported(child: ChildProcess): Promise<Received> {
  return ((await once(child, 'message')) as [Received])[0];
}

interface Accepted {
  server: nodeNet.Server;
  client: nodeNet.Socket;
  peer: nodeNet.Socket;
}

/** A connection of ours that nobody has read from, with a client that has written already. */
async function accept(first: string): Promise<Accepted> {
  const server = net.createServer({ pauseOnConnect: true });
  const port = await listen(server);
  const waiting = once(server, 'connection');
  const client = nodeNet.connect(port, '127.0.0.1');
  client.write(first);
  const [peer] = (await waiting) as [nodeNet.Socket];
  return { server, client, peer };
}

const connections = (server: nodeNet.Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

for (const register of [false, true]) {
  const name = register ? 'a child with iocp-net/register' : 'a child with node:net';

  t.test(`a socket, to ${name}`, notOnWindows, async (test) => {
    const child = await startReceiver(register);
    const { server, client, peer } = await accept('early');
    const report = reported(child);
    const sent = new Promise((resolve) => child.send('a socket', peer, {}, resolve));
    test.equal(await sent, null);
    test.strictSame(await report, { got: 'socket', core: register });
    const [answer] = (await once(client, 'data')) as [Buffer];
    test.equal(String(answer), 'child: early');
    test.equal((peer as unknown as { _handle: unknown })._handle, null, 'it left the sender');
    test.equal(await connections(server), 1, 'the child is asked');
    // The server waits for the child's connection, too.
    const over = closing(server);
    server.close();
    client.end('late');
    test.equal(String(await readAll(client)), 'child: late');
    await over;
    await end(child);
  });

  t.test(`a server, to ${name}`, notOnWindows, async (test) => {
    const child = await startReceiver(register);
    const server = net.createServer((socket) => quiet(socket).end('from the parent'));
    const port = await listen(server);
    const report = reported(child);
    child.send('a server', server);
    test.strictSame(await report, { got: 'server', core: false });
    const who = new Set<string>();
    for (let i = 0; i < 200 && who.size < 2; i++) {
      who.add(String(await readAll(nodeNet.connect(port, '127.0.0.1'))));
    }
    test.strictSame([...who].sort(), ['from the child', 'from the parent']);
    await closeServer(server);
    test.equal(String(await readAll(nodeNet.connect(port, '127.0.0.1'))), 'from the child');
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  });
}

t.test('keepOpen: both have the socket', notOnWindows, async (test) => {
  const child = await startReceiver(false);
  const { server, client, peer } = await accept('early');
  const report = reported(child);
  child.send('a socket', peer, { keepOpen: true });
  test.match(await report, { got: 'socket' });
  const [answer] = (await once(client, 'data')) as [Buffer];
  test.equal(String(answer), 'child: early');
  peer.write('from the parent');
  const [more] = (await once(client, 'data')) as [Buffer];
  test.equal(String(more), 'from the parent');
  // Closing here ends nothing there.
  await closed(peer);
  client.write('again');
  const [again] = (await once(client, 'data')) as [Buffer];
  test.equal(String(again), 'child: again');
  await closed(client);
  await closeServer(server);
  await end(child);
});

t.test('one after the other, and a message between them', notOnWindows, async (test) => {
  const child = await startReceiver(true);
  const pairs = [await accept('a'), await accept('b'), await accept('c')];
  const order: string[] = [];
  const all = new Promise<void>((resolve) => {
    child.on('message', ({ got }: Received) => order.push(got) === 4 && resolve());
  });
  const [a, b, c] = pairs as [Accepted, Accepted, Accepted];
  child.send('1', a.peer);
  child.send('2', b.peer);
  child.send('3');
  child.send('4', c.peer);
  await all;
  test.strictSame(order, ['socket', 'socket', 'nothing', 'socket']);
  for (const { client } of pairs) {
    client.end();
    await readAll(client);
  }
  await Promise.all(pairs.map(({ server }) => closeServer(server)));
  await end(child);
});

t.test('a child sends one to its parent', notOnWindows, async (test) => {
  const child = await startReceiver(false);
  child.send('send one back');
  const [{ port }] = (await once(child, 'message')) as [nodeNet.AddressInfo];
  const client = nodeNet.connect(port, '127.0.0.1');
  client.write('hello');
  const [message, given] = (await once(child, 'message')) as [string, nodeNet.Socket];
  test.equal(message, 'from the child');
  given.end('taken');
  given.resume();
  test.equal(String(await readAll(client)), 'taken');
  await end(child);
});

t.test('of a socket that is not connected only the message goes', async (test) => {
  const child = await startReceiver(false);
  const report = reported(child);
  const socket = new net.Socket();
  const sent = new Promise((resolve) => child.send('alone', socket, {}, resolve));
  test.equal(await sent, null);
  test.match(await report, { got: 'nothing' });
  await end(child);
});

t.test('a message that Node refuses leaves the socket alone', notOnWindows, async (test) => {
  const child = await startReceiver(false);
  const { server, client, peer } = await accept('x');
  test.throws(() => child.send(undefined as never, peer), { code: 'ERR_MISSING_ARGS' });
  test.throws(() => child.send(() => {}, peer), { code: 'ERR_INVALID_ARG_TYPE' });
  test.ok((peer as unknown as Record<symbol, unknown>)[kConnection]);
  await Promise.all([closed(client), closed(peer), closeServer(server), end(child)]);
});

t.test('a socket as the standard streams of a child', notOnWindows, async (test) => {
  const { server, client, peer } = await accept('echoed');
  const program = 'process.stdin.pipe(process.stdout)';
  const child = spawn(process.execPath, ['-e', program], { stdio: [peer, peer, 'ignore'] });
  const exited = once(child, 'exit');
  await closed(peer); // the child's descriptors stay open
  client.end();
  test.equal(String(await readAll(client)), 'echoed');
  await exited;
  await closeServer(server);
});

t.test('on Windows each throws, and says why', { skip: !isWindows }, async (test) => {
  const child = await startReceiver(false);
  const { server, client, peer } = await accept('x');
  const refusal = { code: 'ERR_INVALID_HANDLE_TYPE', message: /completion port/ };
  test.throws(() => child.send('a socket', peer), refusal);
  test.throws(() => child.send('a server', server), refusal);
  test.throws(() => spawn(process.execPath, { stdio: ['ignore', peer, 'ignore'] }), refusal);
  const answer = once(client, 'data');
  peer.write('still here');
  test.equal(String((await answer)[0]), 'still here');
  await Promise.all([closed(client), closed(peer), closeServer(server), end(child)]);
});
