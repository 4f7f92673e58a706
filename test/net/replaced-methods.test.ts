/**
 * Methods of `socket._handle` that someone has replaced, as tracers, proxies and mocks do: each is
 * asked when, and for what, Node asks it.
 */
import t from 'tap';
import { getSystemErrorMap } from 'node:util';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import { closed, closeServer, closing, connectedPair, listen, quiet } from '../support/sockets';
import type { Net } from '../support/sockets';

/** What Node's handles answer on this system. */
function errnoOf(name: string): number {
  const found = [...getSystemErrorMap()].find(([, [known]]) => known === name);
  return found?.[0] ?? 0;
}

type Method = (this: Handle, ...args: unknown[]) => unknown;

interface Request {
  oncomplete(
    status: number,
    handle: Handle,
    request: Request,
    readable: boolean,
    writable: boolean,
  ): void;
  [name: string]: unknown;
}

type Handle = Record<string, Method> & { onread: Method };

const handleOf = (socket: unknown): Handle => (socket as { _handle: Handle })._handle;

/** Puts a function around each of these methods that says when it is called. */
function trace(handle: Handle, names: readonly string[], log: (...what: unknown[]) => void): void {
  for (const name of names) {
    const own = handle[name] as Method;
    handle[name] = function (...args) {
      const answer = own.apply(this, args);
      // Node 24 answers with a request where a write is not done at once.
      log(name, typeof answer === 'object' ? 0 : answer);
      return answer;
    };
  }
}

const nowhere = { port: 1, host: '192.0.2.1' };

/** In the place of connect: completes the request by itself, a moment later. */
function mock(
  handle: Handle,
  status: number,
  log: (...what: unknown[]) => void,
  open = true,
): void {
  const connect = (name: string) =>
    ((request: Request, address: string, port: number) => {
      log(name, address, port, request.address, request.port, request.addressType);
      setImmediate(() => request.oncomplete(status, handle, request, open, open));
      return 0;
    }) as Method;
  handle.connect = connect('connect');
  handle.connect6 = connect('connect6');
}

const events = [
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'ready',
  'error',
  'close',
];

const quietly = (what: unknown): unknown =>
  what instanceof Error ? what.message.replace(/\d{4,}\)/, 'port)') : what;

function watchAll(socket: nodeNet.Socket, log: (...what: unknown[]) => void): void {
  for (const name of events) {
    socket.on(name, (...args: unknown[]) => log(name, ...args.map(quietly)));
  }
}

/** When the mock gets into the handle. */
const moments: Record<string, (socket: nodeNet.Socket, put: () => void) => void> = {
  'after connect()': (_socket, put) => put(),
  "in 'connectionAttempt'": (socket, put) => void socket.once('connectionAttempt', put),
};

const destinations: Record<string, nodeNet.NetConnectOpts> = {
  'an IPv4 address': nowhere,
  'an IPv6 address': { port: 1, host: '2001:db8::1' },
  'from an address': { ...nowhere, localAddress: '127.0.0.1' },
  'a name': {
    port: 1,
    host: 'example.test',
    autoSelectFamily: false,
    lookup: ((_host: string, _options: object, callback: (...args: unknown[]) => void) =>
      process.nextTick(callback, null, '192.0.2.1', 4)) as never,
  },
  'one of several': {
    port: 1,
    host: 'example.test',
    autoSelectFamily: true,
    lookup: ((_host: string, _options: object, callback: (...args: unknown[]) => void) =>
      process.nextTick(callback, null, [
        { address: '192.0.2.1', family: 4 },
        { address: '2001:db8::1', family: 6 },
      ])) as never,
  },
};

for (const [moment, at] of Object.entries(moments)) {
  for (const [where, destination] of Object.entries(destinations)) {
    sameAsNode(t, `mocked ${moment}: ${where}`, async ({ net, log }) => {
      const socket = net.connect(destination);
      at(socket, () => {
        const handle = handleOf(socket);
        mock(handle, 0, log);
        handle.readStart = () => (log('readStart'), 0);
        handle.shutdown = ((request: Request) => {
          log('shutdown');
          setImmediate(() => request.oncomplete(0, handle, request, true, true));
          return 0;
        }) as Method;
        handle.writeUtf8String = (_request, text) => (log('write', text), 0);
        handle.writeLatin1String = handle.writeUtf8String;
        handle.getpeername = (out) => (Object.assign(out as object, { address: 'mocked' }), 0);
      });
      watchAll(socket, log);
      const end = closing(socket);
      socket.on('data', (chunk: Buffer) => log(String(chunk)));
      await once(socket, 'connect');
      log(socket.connecting, socket.pending, socket.remoteAddress, socket.readyState);
      socket.write('hello', () => log('written'));
      socket.push('from the mock');
      socket.push(null);
      socket.end();
      await end;
    });
  }

  sameAsNode(t, `refused ${moment}`, async ({ net, log }) => {
    const socket = net.connect(nowhere);
    at(socket, () => mock(handleOf(socket), errnoOf('ECONNREFUSED'), log));
    watchAll(socket, log);
    await closing(socket);
  });

  sameAsNode(t, `refused at once ${moment}`, async ({ net, log }) => {
    const socket = net.connect({ ...nowhere, localAddress: '127.0.0.1' });
    at(socket, () => (handleOf(socket).connect = () => errnoOf('ENETUNREACH')));
    watchAll(socket, log);
    await closing(socket);
  });

  sameAsNode(t, `mocked ${moment} and destroyed before it is done`, async ({ net, log }) => {
    const socket = net.connect(nowhere);
    at(socket, () => mock(handleOf(socket), 0, log));
    watchAll(socket, log);
    setImmediate(() => socket.destroy());
    await closing(socket);
    await new Promise(setImmediate);
  });

  sameAsNode(t, `traced ${moment}, and connected`, async ({ net, log }) => {
    const server = net.createServer((peer) => peer.pipe(peer));
    const port = await listen(server);
    const socket = quiet(net.connect(port, '127.0.0.1'));
    at(socket, () => trace(handleOf(socket), ['connect', 'close'], log));
    await once(socket, 'connect');
    log(socket.remotePort === port, socket.bytesWritten);
    socket.end('round and back');
    for await (const chunk of socket) log(String(chunk));
    await closing(socket);
    await closeServer(server);
  });
}

sameAsNode(t, 'a handle whose ends are both closed', async ({ net, log }) => {
  const socket = net.connect(nowhere);
  const handle = handleOf(socket);
  mock(handle, 0, log, false);
  handle.readStart = () => 0;
  handle.shutdown = () => 1;
  watchAll(socket, log);
  const end = closing(socket);
  await once(socket.resume(), 'end');
  await end;
});

sameAsNode(t, 'bound and connected by methods of others', async ({ net, log }) => {
  const socket = net.connect({ ...nowhere, localAddress: '127.0.0.1', localPort: 7 });
  const handle = handleOf(socket);
  handle.bind = (...args) => (log('bind', ...args), 0);
  handle.getsockname = (out) => (Object.assign(out as object, { port: 7 }), 0);
  mock(handle, 0, log);
  await once(quiet(socket), 'connect');
  log(socket.localPort);
  await closed(socket);
});

interface Traced {
  client: nodeNet.Socket;
  peer: nodeNet.Socket;
  handle: Handle;
  end: () => Promise<void>;
}

async function traced(
  net: Net,
  names: string[],
  log: (...what: unknown[]) => void,
): Promise<Traced> {
  const { client, peer, close } = await connectedPair(net);
  const handle = handleOf(client);
  trace(handle, names, log);
  return { client, peer, handle, end: close };
}

const chunks: Record<string, string | Buffer> = {
  writeUtf8String: 'grüße',
  writeLatin1String: 'latin1',
  writeUcs2String: 'ucs2',
  writeBuffer: Buffer.from('buffer'),
};
const encodings: Record<string, BufferEncoding> = {
  writeLatin1String: 'latin1',
  writeUcs2String: 'utf16le',
};

for (const [name, chunk] of Object.entries(chunks)) {
  sameAsNode(t, `${name} of a connected socket`, async ({ net, log }) => {
    const { client, peer, end } = await traced(net, [name], log);
    client.setDefaultEncoding(encodings[name] ?? 'utf8');
    client.write(chunk, encodings[name] ?? 'utf8', () => log('written'));
    const [received] = (await once(peer, 'data')) as [Buffer];
    log(received.toString('hex'), client.bytesWritten);
    await end();
  });
}

sameAsNode(t, 'writev of a connected socket', async ({ net, log }) => {
  const { client, peer, end } = await traced(net, ['writev'], log);
  client.cork();
  client.write('one ');
  client.write('two');
  client.uncork();
  const [received] = (await once(peer, 'data')) as [Buffer];
  log(String(received));
  await end();
});

sameAsNode(t, 'shutdown of a connected socket', async ({ net, log }) => {
  const { client, peer, end } = await traced(net, ['shutdown'], log);
  client.end('last');
  for await (const chunk of peer) log(String(chunk));
  await end();
});

sameAsNode(t, 'what is written is changed on its way', async ({ net, log }) => {
  const { client, peer, handle, end } = await traced(net, [], log);
  const own = handle.writeUtf8String as Method;
  handle.writeUtf8String = function (request, text) {
    return own.call(this, request, String(text).toUpperCase());
  };
  handle.writeLatin1String = handle.writeUtf8String;
  client.write('loud');
  const [received] = (await once(peer, 'data')) as [Buffer];
  log(String(received));
  client.destroy();
  await end();
});

sameAsNode(t, 'reading that is held back', async ({ net, log }) => {
  const { client, peer, handle, end } = await traced(net, [], log);
  const length = 1 << 20;
  client.pause();
  peer.write(Buffer.alloc(length));
  await once(client, 'readable');
  // Until it has enough.
  while (handle.reading as unknown as boolean) await new Promise(setImmediate);
  let starts = 0;
  handle.readStart = (
    (own) =>
    (...args: unknown[]) => (starts++, own.apply(handle, args))
  )(handle.readStart as Method);
  let received = 0;
  client.on('data', (chunk: Buffer) => (received += chunk.length));
  client.resume();
  while (received < length) await once(client, 'data');
  log(starts > 0);
  await end();
});

sameAsNode(t, 'a receiver around that of the handle', async ({ net, log }) => {
  const { client, peer, handle, end } = await traced(net, [], log);
  const { onread } = handle;
  let calls = 0;
  handle.onread = function (...args) {
    calls++;
    return onread.apply(this, args);
  };
  for (const text of ['one', 'two', 'three']) {
    peer.write(text);
    const [chunk] = (await once(client, 'data')) as [Buffer];
    log(String(chunk), calls);
  }
  await end();
});

sameAsNode(t, 'a socket that is given the handle of another', async ({ net, log }) => {
  const server = net.createServer((peer) =>
    peer.on('data', (chunk) => peer.write(`<${String(chunk)}>`)),
  );
  const port = await listen(server);
  const socket = quiet(net.connect(nowhere));
  const replaced = handleOf(socket);
  replaced.connect = () => 0;
  const real = net.connect(port, '127.0.0.1');
  await once(real, 'connect');
  (socket as unknown as { _handle: Handle })._handle = handleOf(real);
  Reflect.set(socket, 'connecting', false);
  replaced.close?.();
  socket.write('by the other');
  const [chunk] = (await once(real, 'data')) as [Buffer];
  log(String(chunk), socket.remotePort === port, handleOf(socket) === handleOf(real));
  await closed(real);
  socket.destroy();
  await closeServer(server);
});

sameAsNode(t, '_writeGeneric of a socket', async ({ net, log }) => {
  const { client, peer, close } = await connectedPair(net);
  const members = client as unknown as { _writeGeneric: Method };
  const own = members._writeGeneric;
  members._writeGeneric = function (...args) {
    log(args[0], String(args[1]), args[2]);
    return own.apply(this, args);
  };
  client.write('seen');
  log(String(((await once(peer, 'data')) as [Buffer])[0]));
  await close();
});
