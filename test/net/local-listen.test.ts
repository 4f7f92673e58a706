import t from 'tap';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { load, run } from '../support/child';
import { listenAt, localPair, localPath, onWindows } from '../support/local';
import { closeServer, closing, quiet } from '../support/sockets';

async function failure(emitter: NodeJS.EventEmitter): Promise<Error> {
  const [error] = (await once(emitter, 'error')) as [Error];
  return error;
}

/** The error that listening ends with, or null. */
const outcome = (server: nodeNet.Server): Promise<Error | null> =>
  new Promise((resolve) => server.once('error', resolve).once('listening', () => resolve(null)));

const path = localPath();

sameAsNode(t, 'a server at a path', async ({ net: module, log, watch }) => {
  const server = module.createServer();
  watch('server', server, ['listening', 'close', 'error']);
  log(server.address());
  server.listen({ path, backlog: 5, exclusive: true }, () => log('callback'));
  await once(server, 'listening');
  log(server.address(), server.listening);
  log((server as unknown as { _connectionKey: string })._connectionKey);
  await closeServer(server);
  log(server.address(), server.listening);
  await listenAt(server, path);
  log('again', server.address());
  await closeServer(server);
});

sameAsNode(t, 'an address in use', async ({ net: module }) => {
  const first = module.createServer();
  await listenAt(first, path);
  const second = module.createServer().listen(path);
  const error = await outcome(second);
  // Wine lets two servers share the name of a pipe.
  await closeServer(second);
  await closeServer(first);
  return [error, second.listening, second.address()];
});

sameAsNode(t, 'paths that cannot be', async ({ net: module, log }) => {
  const folder = join(tmpdir(), `iocp-net-none-${process.pid}`, 'here');
  for (const each of [folder, 'nowhere/at/all']) {
    log(await failure(module.createServer().listen(each)));
  }
});

sameAsNode(t, 'closed before it could say that it listens', async ({ net: module, watch }) => {
  const server = module.createServer();
  watch('server', server, ['listening', 'close', 'error']);
  server.listen(path);
  server.close();
  await closing(server);
});

sameAsNode(t, 'maxConnections and getConnections', async ({ net: module, log }) => {
  const { server, client, close } = await localPair(module, path);
  const count = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_error, number) => resolve(number)));
  log(await count());
  server.maxConnections = 1;
  const dropped = once(server, 'drop');
  const refused = quiet(module.connect(path)).resume();
  log(await dropped);
  await closing(refused);
  client.destroy();
  await close();
  log(await count());
});

sameAsNode(t, 'pauseOnConnect', async ({ net: module, log }) => {
  const { client, peer, close } = await localPair(module, path, {
    server: { pauseOnConnect: true },
  });
  client.write('early');
  log(peer.readableFlowing, peer.isPaused());
  peer.resume();
  const [chunk] = (await once(peer, 'data')) as [Buffer];
  log(String(chunk));
  await close();
});

// Not compared: so many at once of node:net's make Wine's server process crash.
t.test('many connects at once', async (test) => {
  const server = net.createServer((socket) => socket.end('hello'));
  await listenAt(server, path);
  const answers = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = net.connect(path).setEncoding('utf8');
      let text = '';
      for await (const chunk of socket) text += chunk as string;
      return text;
    }),
  );
  await closeServer(server);
  test.strictSame(answers, Array(50).fill('hello'));
});

const files = { skip: onWindows && 'pipes are no files' };

// A pipe's name is taken for as long as one of its clients remains.
t.test('the path is free while clients of a closed server remain', files, async (test) => {
  const { server, client, peer, close } = await localPair(net, path);
  const over = new Promise((resolve) => server.close(resolve));
  const next = net.createServer((socket) => socket.end('next'));
  await listenAt(next, path);
  const second = net.connect(path);
  const [answer] = (await once(second, 'data')) as [Buffer];
  test.equal(String(answer), 'next');
  second.destroy();
  await Promise.all([closing(second), close()]);
  await over;
  test.ok(client.destroyed && peer.destroyed);
  test.ok(existsSync(path), "closing the first left the second's file");
  await closeServer(next);
});

t.test('readableAll and writableAll make the mode of the file', files, async (test) => {
  const modes = async (module: typeof nodeNet): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (const options of [
      {},
      { readableAll: true },
      { writableAll: true },
      { readableAll: true, writableAll: true },
    ]) {
      const server = module.createServer();
      server.listen({ path, ...options });
      await once(server, 'listening');
      seen.push(statSync(path).mode.toString(8));
      await closeServer(server);
    }
    return seen;
  };
  test.strictSame(await modes(net), await modes(await import('node:net')));
});

t.test('the file is gone when close() returns', files, async (test) => {
  const servers = Array.from({ length: 16 }, () => net.createServer());
  const paths = servers.map(localPath);
  for (const [index, server] of servers.entries()) await listenAt(server, paths[index] ?? '');
  const left = servers.filter((server, index) => {
    server.close();
    return existsSync(paths[index] ?? '');
  });
  test.equal(left.length, 0);
  await Promise.all(servers.map(closing));
});

t.test('a file of that name is in the way', files, async (test) => {
  writeFileSync(path, 'not a socket');
  try {
    const module = await import('node:net');
    const [ours, nodes] = [
      await failure(net.createServer().listen(path)),
      await failure(module.createServer().listen(path)),
    ];
    test.strictSame([ours.message, { ...ours }], [nodes.message, { ...nodes }]);
    test.ok(existsSync(path), 'and stays');
  } finally {
    rmSync(path);
  }
});

t.test('a stale socket file is in the way, as with node:net', files, async (test) => {
  const program = `${load('net')}net.createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const { signal } = await run(program);
  test.equal(signal, 'SIGKILL');
  try {
    test.ok(existsSync(path));
    const error = (await failure(net.createServer().listen(path))) as NodeJS.ErrnoException;
    test.equal(error.code, 'EADDRINUSE');
    // The kernel takes a moment to tear the dead process's ring down, and its sockets with it.
    let code: string | undefined;
    while (code !== 'ECONNREFUSED') {
      ({ code } = (await failure(net.connect(path))) as NodeJS.ErrnoException);
      test.match(code, /^ECONN(REFUSED|RESET)$/);
    }
  } finally {
    rmSync(path);
  }
});

t.test('paths that are too long', files, async (test) => {
  const long = join(tmpdir(), `iocp-net-${process.pid}-${'x'.repeat(120)}`);
  const cut = async (module: typeof nodeNet): Promise<unknown> => {
    const server = module.createServer().listen(long);
    const result = await outcome(server);
    const address = server.address();
    await closeServer(server);
    rmSync(Buffer.from(long).subarray(0, 108).toString(), { force: true });
    return [String(result), address];
  };
  test.strictSame(await cut(net), await cut(await import('node:net')));
});

t.test('a folder that may not be written', files, async (test) => {
  const folder = join(tmpdir(), `iocp-net-${process.pid}-closed`);
  mkdirSync(folder);
  chmodSync(folder, 0o500);
  try {
    if (process.getuid?.() === 0) {
      test.pass('not asked: root may write everywhere');
      return;
    }
    const error = (await failure(
      net.createServer().listen(join(folder, 'sock')),
    )) as NodeJS.ErrnoException;
    test.equal(error.code, 'EACCES');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const isLinux = { skip: process.platform !== 'linux' && 'Linux has abstract names' };

t.test('a name in the abstract namespace', isLinux, async (test) => {
  // Up to Node 22 its own client ends such a name at a NUL.
  const hasNul = Number(process.versions.node.split('.')[0]) >= 24;
  const name = `\0iocp-net-${process.pid}${hasNul ? '\0with a NUL' : ''}`;
  const server = net.createServer((socket) => socket.end('abstract'));
  await listenAt(server, name);
  test.equal(server.address(), name);
  for (const module of [net, await import('node:net')]) {
    const socket = module.connect(name);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    test.equal(String(chunk), 'abstract');
    await closing(socket);
  }
  const second = (await failure(net.createServer().listen(name))) as NodeJS.ErrnoException;
  test.equal(second.code, 'EADDRINUSE');
  test.throws(() => net.createServer().listen({ path: name, readableAll: true }), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
  await closeServer(server);
  await listenAt(server, name);
  await closeServer(server);
});

t.test('a server does, and an unreferenced one does not, keep the process alive', async (test) => {
  const at = JSON.stringify(localPath());
  const program = (unref: string): string =>
    `${load('net')}const server = net.createServer().listen(${at}, () => {
       console.log('listening');
       setTimeout(() => { console.log('still here'); server.close(); }, 50)${unref};
     })${unref};`;
  const kept = await run(program(''));
  test.equal(kept.stdout, 'listening\nstill here\n');
  const let_go = await run(program('.unref()'));
  test.notMatch(let_go.stdout, 'still here');
  test.equal(let_go.code, 0);
  if (!onWindows) test.notOk(existsSync(JSON.parse(at) as string), 'it takes its file along');
});
