import t from 'tap';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import type { Net } from '../support/sockets';
import {
  closing,
  closed,
  closeServer,
  connectedPair,
  delay,
  listen,
  unusedPort,
} from '../support/sockets';

/** An error without the numbers that differ from run to run. */
function withoutPort(error: unknown, port: number): unknown {
  const {
    message,
    code,
    errno,
    syscall,
    address,
    port: own,
  } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  const hidden = message.replaceAll(String(port), 'PORT');
  return { hidden, code, errno, syscall, address, samePort: own === port };
}

async function failure(emitter: NodeJS.EventEmitter): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(emitter, 'error')) as [NodeJS.ErrnoException];
  return error;
}

for (const host of ['127.0.0.1', '::1']) {
  sameAsNode(t, `connection refused by ${host}`, async ({ net: module, log }) => {
    const port = await unusedPort(module);
    const client = module.connect({ port, host });
    client.on('connectionAttempt', (ip, _port, family) => log('attempt', ip, family));
    client.on('connectionAttemptFailed', (ip, _port, family) => log('failed', ip, family));
    client.on('close', (hadError) => log('close', hadError));
    void closing(client);
    const error = await failure(client);
    await closing(client);
    return [withoutPort(error, port), Object.keys(error), error.name, client.destroyed];
  });
}

sameAsNode(t, 'refused with a local address', async ({ net: module }) => {
  const port = await unusedPort(module);
  const localPort = await unusedPort(module);
  const client = module.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort });
  const error = (await failure(client)) as NodeJS.ErrnoException & {
    localAddress?: string;
    localPort?: number;
  };
  const message = error.message
    .replaceAll(String(port), 'PORT')
    .replaceAll(String(localPort), 'LOCAL');
  return [message, error.code, error.localAddress, error.localPort === localPort];
});

sameAsNode(t, 'an address that is not ours to bind', async ({ net: module }) => {
  const client = module.connect({ port: 9, host: '127.0.0.1', localAddress: '192.0.2.1' });
  return failure(client);
});

sameAsNode(t, 'a port in use', async ({ net: module, log }) => {
  const first = module.createServer();
  const port = await listen(first);
  const second = module.createServer();
  second.on('listening', () => log('must not listen'));
  second.listen(port, '127.0.0.1');
  log('at once', second.listening);
  const error = await failure(second);
  await closeServer(first);
  return [withoutPort(error, port), Object.keys(error), second.listening, second.address()];
});

sameAsNode(t, 'a port in use, any address', async ({ net: module }) => {
  const first = module.createServer();
  first.listen(0);
  await once(first, 'listening');
  const { port } = first.address() as nodeNet.AddressInfo;
  const second = module.createServer();
  second.listen(port);
  const error = await failure(second);
  await closeServer(first);
  return withoutPort(error, port);
});

sameAsNode(t, 'listening on an address we do not have', async ({ net: module }) => {
  const server = module.createServer();
  server.listen(0, '192.0.2.1');
  return failure(server);
});

type Call = (net: Net) => unknown;

const badCalls: Record<string, Call> = {
  'connect()': (net) => (net.connect as () => unknown)(),
  'connect({})': (net) => net.connect({} as never),
  'connect(null)': (net) => net.connect(null as never),
  'connect(true)': (net) => net.connect(true as never),
  'connect({ port: true })': (net) => net.connect({ port: true } as never),
  'connect({ port: null })': (net) => net.connect({ port: null } as never),
  'connect({ port: -1 })': (net) => net.connect({ port: -1 }),
  'connect({ port: 65536 })': (net) => net.connect({ port: 65536 }),
  'connect({ port: 1.5 })': (net) => net.connect({ port: 1.5 }),
  'connect({ port: NaN })': (net) => net.connect({ port: NaN }),
  "connect({ port: '' })": (net) => net.connect({ port: '' } as never),
  "connect({ port: 'x' })": (net) => net.connect({ port: 'x' } as never),
  'connect({ port: [] })': (net) => net.connect({ port: [] } as never),
  'connect port 1n': (net) => net.connect({ port: 1n } as never),
  'host number': (net) => net.connect({ port: 1, host: 5 } as never),
  'local address': (net) => net.connect({ port: 1, localAddress: 'nowhere' }),
  'local port': (net) => net.connect({ port: 1, localPort: '5' } as never),
  lookup: (net) => net.connect({ port: 1, host: 'localhost', lookup: 5 } as never),
  autoSelectFamily: (net) => net.connect({ port: 1, autoSelectFamily: 'yes' } as never),
  attemptTimeout: (net) =>
    net.connect({ port: 1, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: -1 }),
  'attemptTimeout type': (net) =>
    net.connect({ port: 1, autoSelectFamilyAttemptTimeout: '5' } as never),
  timeout: (net) => net.connect({ port: 1, timeout: 'x' } as never),
  signal: (net) => net.connect({ port: 1, signal: 'x' } as never),
  objectMode: (net) => new net.Socket({ objectMode: true } as never),
  readableObjectMode: (net) => new net.Socket({ readableObjectMode: true } as never),
  keepAliveInitialDelay: (net) => new net.Socket({ keepAliveInitialDelay: 'x' } as never),
  fd: (net) => new net.Socket({ fd: -1 }),
  'fd type': (net) => new net.Socket({ fd: 'x' } as never),
  'setTimeout(string)': (net) => new net.Socket().setTimeout('x' as never),
  'setTimeout(-1)': (net) => new net.Socket().setTimeout(-1),
  'setTimeout(NaN)': (net) => new net.Socket().setTimeout(NaN),
  'setTimeout callback': (net) => new net.Socket().setTimeout(1, 'x' as never),
  'write(number)': (net) => new net.Socket().write(5 as never),
  'write(null)': (net) => new net.Socket().write(null as never),
  'write encoding': (net) => new net.Socket().write('x', 'nonsense' as never),
  'createServer(5)': (net) => net.createServer(5 as never),
  "createServer('')": (net) => net.createServer('' as never),
  'server keepAliveInitialDelay': (net) =>
    net.createServer({ keepAliveInitialDelay: 'x' } as never),
  'listen(-1)': (net) => net.createServer().listen(-1),
  'listen(65536)': (net) => net.createServer().listen(65536),
  'listen({})': (net) => net.createServer().listen({}),
  'listen({ port: true })': (net) => net.createServer().listen({ port: true } as never),
  'listen(true)': (net) => net.createServer().listen(true as never),
  'listen({ host })': (net) => net.createServer().listen({ host: '127.0.0.1' }),
  'listen signal': (net) => net.createServer().listen({ port: 0, signal: 'x' } as never),
};

for (const [name, call] of Object.entries(badCalls)) {
  sameAsNode(t, `bad argument: ${name}`, async ({ net: module, log }) => {
    try {
      const made = call(module) as Partial<nodeNet.Socket> | null;
      made?.on?.('error', () => {});
      made?.destroy?.();
    } catch (error) {
      log('thrown', error);
    }
  });
}

sameAsNode(t, 'listening twice', async ({ net: module, log }) => {
  const server = module.createServer();
  await listen(server);
  try {
    server.listen(0);
  } catch (error) {
    log(error);
  }
  await closeServer(server);
});

sameAsNode(t, 'closing a server that does not run', async ({ net: module }) => {
  const server = module.createServer();
  return new Promise((resolve) => server.close(resolve));
});

sameAsNode(t, 'writing to a destroyed socket', async ({ net: module, log }) => {
  const { client, close } = await connectedPair(module);
  client.destroy();
  client.on('error', (error) => log('error event', error));
  await new Promise<void>((resolve) => {
    client.write('x', (error) => {
      log('callback', error);
      resolve();
    });
  });
  await close();
});

sameAsNode(t, 'a string that is said to be a buffer', async ({ net: module, log }) => {
  const { client, close } = await connectedPair(module);
  try {
    client.write('text', 'buffer' as never);
  } catch (error) {
    log(error);
  }
  await close();
});

sameAsNode(t, 'writing to a socket that was never connected', async ({ net: module, log }) => {
  const socket = new module.Socket();
  socket.on('error', (error) => log('event', error));
  await new Promise<void>((resolve) => {
    socket.write('x', (error) => {
      log('callback', error);
      resolve();
    });
  });
});

sameAsNode(t, 'destroyed while a write waits for the connection', async ({ net: module, log }) => {
  const server = module.createServer();
  const port = await listen(server);
  const client = module.connect({ port, host: '127.0.0.1' });
  const written = new Promise<void>((resolve) => {
    client.write('x', (error) => {
      log('callback', error);
      resolve();
    });
  });
  client.on('error', (error) => log('event', error));
  client.destroy();
  await written;
  await closeServer(server);
});

sameAsNode(t, 'resetAndDestroy without a connection', async ({ net: module }) => {
  const socket = new module.Socket();
  const error = failure(socket);
  socket.resetAndDestroy();
  return error;
});

t.test('the peer resets', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  client.resume();
  const error = failure(client);
  peer.resetAndDestroy();
  const { code, syscall, message } = await error;
  test.strictSame([code, syscall, message], ['ECONNRESET', 'read', 'read ECONNRESET']);
  await closed(client);
  await close();
});

// A copied write's own callback has succeeded before.
for (const size of [1, 100_000]) {
  sameAsNode(
    t,
    `writing ${size} bytes after a reset that was not read`,
    async ({ net: module }) => {
      const { client, peer, close } = await connectedPair(module, {
        server: { pauseOnConnect: true },
      });
      const error = failure(peer);
      client.resetAndDestroy();
      await delay(50);
      peer.write(Buffer.alloc(size));
      const result = await error;
      await close();
      return result;
    },
  );
}

/** Opens files until there are none left, then connects and listens in every way. */
const exhausted = (module: string): string => `
const fs = require('node:fs');
const net = require(${JSON.stringify(module)});
const seen = [];
const lookup = (host, options, callback) => process.nextTick(callback, null, [
  { address: '127.0.0.1', family: 4 },
  { address: '127.0.0.2', family: 4 },
]);
function exhaust() {
  try {
    for (;;) fs.openSync('/dev/null');
  } catch {}
  for (const options of [
    { host: '127.0.0.1' },
    { host: '127.0.0.1', localAddress: '127.0.0.1' },
    { host: '127.0.0.1', localPort: 5555 },
    { host: 'example.test', lookup },
  ]) {
    net.connect({ port: 1, ...options }).on('error', ({ message, code, syscall, errors }) =>
      seen.push([message, code, syscall, errors?.map(String)]));
  }
  net.createServer().listen(0, '127.0.0.1').on('error', ({ message, code, syscall }) =>
    seen.push([message, code, syscall]));
}
// First a connection, so that everything is loaded and opened.
const server = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1', () => {
  net.connect(server.address().port, '127.0.0.1').on('close', exhaust);
  server.unref();
});
process.on('exit', () => fs.writeSync(1, JSON.stringify(seen.sort())));
`;

t.test(
  'no descriptor left for a socket',
  { skip: process.platform === 'win32' ? 'descriptors are not limited' : false },
  async (test) => {
    const [ours, nodes] = ['iocp-net', 'node:net'].map((module) => {
      const name = module === 'iocp-net' ? require.resolve(module) : module;
      const limited = ['-c', 'ulimit -n 60 && exec "$0" -e "$1"', process.execPath];
      const output = execFileSync('sh', [...limited, exhausted(name)], {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '' },
      });
      return JSON.parse(output) as unknown[][];
    });
    test.strictSame(ours, nodes);
    test.equal(ours?.length, 5);
  },
);
