/** What can be asked for as a limit, and what is said of the rest. */
import t from 'tap';
import * as nodeHttp from 'node:http';
import * as http from 'iocp-net/http';
import * as net from 'iocp-net';
import * as tls from 'iocp-net/tls';
import { engine } from 'iocp-net/engine';
import type { ServerLimits } from 'iocp-net';
import { load, run } from '../support/child';
import { limitedServer } from '../support/limited';

function thrownBy(act: () => unknown): { name: string; code: string; message: string } {
  try {
    act();
  } catch (error) {
    const { name, message, code } = error as NodeJS.ErrnoException;
    const [first = ''] = (error as Error).stack?.split('\n') ?? [];
    return { name, message: `${first} ${message}`, code: String(code) };
  }
  throw new Error('nothing was thrown');
}

const badTypes = [
  '5',
  null,
  true,
  {},
  [],
  Object.create(null),
  () => 1,
  Symbol('x'),
  10n,
  'x'.repeat(99),
];

t.test("bad values get Node's own errors", async (test) => {
  // The same is asked of an option of Node's, and its name exchanged.
  for (const value of [...badTypes, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53]) {
    const given = { requestTimeout: value } as nodeHttp.ServerOptions;
    if (value === Infinity) given.requestTimeout = NaN;
    const nodes = thrownBy(() => nodeHttp.createServer(given));
    const ours = thrownBy(() => net.createServer({ limits: { connections: value } }));
    const expected = {
      ...nodes,
      message: nodes.message
        .replaceAll('"requestTimeout" argument', '"options.limits.connections" property')
        .replaceAll('"requestTimeout"', '"options.limits.connections"')
        .replaceAll('function requestTimeout', 'function connections'),
    };
    if (value === Infinity) expected.message = expected.message.replaceAll('NaN', 'Infinity');
    if (typeof value === 'function') {
      test.match(ours.message, /Received function/);
      continue;
    }
    test.strictSame(ours, expected, String(typeof value));
  }
});

t.test('the range of each', async (test) => {
  const most: Record<keyof ServerLimits, number> = {
    connections: 2 ** 53 - 1,
    connectionsPerAddress: 2 ** 53 - 1,
    acceptsPerSecond: 1e6,
    acceptBurst: 1e6,
    idleMs: 2 ** 31 - 1,
    firstByteMs: 2 ** 31 - 1,
    queuedBytes: 2 ** 53 - 1,
  };
  for (const [name, highest] of Object.entries(most)) {
    net.createServer({ limits: { [name]: 1 } });
    net.createServer({ limits: { [name]: highest } });
    for (const value of [highest + 1, -1]) {
      const { code, message } = thrownBy(() => net.createServer({ limits: { [name]: value } }));
      test.equal(code, 'ERR_OUT_OF_RANGE', `${name} ${value}`);
      test.match(message, `options.limits.${name}`);
    }
  }
});

t.test('limits is an object', async (test) => {
  for (const limits of [5, 'x', null, true]) {
    const { code, message } = thrownBy(() => net.createServer({ limits } as never));
    test.equal(code, 'ERR_INVALID_ARG_TYPE');
    test.match(message, 'The "options.limits" property must be of type object.');
  }
  test.ok(net.createServer({ limits: undefined }));
  test.ok(net.createServer({ limits: { idleMs: undefined } }));
});

t.test('other servers take them, too', async (test) => {
  const limits = { connections: -1 };
  for (const make of [
    () => http.createServer({ limits }),
    () => tls.createServer({ limits }),
    () => new net.Server({ limits }),
  ]) {
    test.equal(thrownBy(make).code, 'ERR_OUT_OF_RANGE');
  }
});

t.test('of the engine', async (test) => {
  const bad = (limits: unknown): string =>
    thrownBy(() => engine.configure({ limits } as never)).code;
  test.equal(bad({ queuedBytes: 0 }), 'ERR_OUT_OF_RANGE');
  test.equal(bad({ queuedBytes: '1' }), 'ERR_INVALID_ARG_TYPE');
  test.equal(bad(7), 'ERR_INVALID_ARG_TYPE');
});

t.test(
  'the object is copied, and what others put on Object.prototype is no limit',
  async (test) => {
    const limits: ServerLimits = { connections: 1 };
    const { peers, connect, close } = await limitedServer(limits);
    limits.connections = 0;
    Object.defineProperty(Object.prototype, 'connectionsPerAddress', {
      configurable: true,
      value: 'nonsense',
    });
    try {
      await connect();
      net.createServer({ limits: {} });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'connectionsPerAddress');
    }
    test.equal(peers.length, 1);
    await close();
  },
);

t.test('without limits a server and its sockets have no members more', async (test) => {
  const server = net.createServer({ limits: {} });
  test.strictSame(Reflect.ownKeys(server), Reflect.ownKeys(net.createServer()));
});

const onNode = `${load('net')}${load('engine')}
  engine.engine.configure({ limits: { queuedBytes: 1e6 } });
  process.on('warning', ({ code }) => console.log(code));
  const limits = { connections: 2, connectionsPerAddress: 1, firstByteMs: 100, queuedBytes: 1e6 };
  const server = net.createServer({ limits }, (peer) => {
    peer.on('error', ({ code, limit }) => console.log(code, limit));
    peer.on('data', () => {
      while (!peer.destroyed) peer.write(Buffer.alloc(1e5));
    });
  });
  server.on('drop', ({ reason, remoteAddress }) => {
    console.log('drop', reason, remoteAddress);
    if (reason === 'firstByteMs') connect().write('x');
    if (reason === 'queuedBytes') setImmediate(end);
  });
  function connect() {
    return net.connect(server.address().port, '127.0.0.1').on('error', () => {});
  }
  function end() {
    console.log(engine.engine.backend, JSON.stringify(engine.engine.stats().drops));
    process.exit();
  }
  server.listen(0, '127.0.0.1', () => {
    connect();
    connect();
  });`;

t.test(
  'on node:net those of servers are kept; the engine says that its own are not',
  async (test) => {
    const { stdout, stderr } = await run(onNode, 15_000, { env: { IOCP_NET_BACKEND: 'node' } });
    const lines = stdout.trim().split(/\r?\n/);
    test.match(stderr, /IOCP_NET_LIMITS/);
    test.equal(lines.shift(), 'IOCP_NET_LIMITS');
    const last = lines.pop() ?? '';
    test.strictSame(lines, [
      'drop connectionsPerAddress 127.0.0.1',
      'drop firstByteMs 127.0.0.1',
      'ERR_IOCP_NET_LIMIT firstByteMs',
      'drop queuedBytes 127.0.0.1',
      'ERR_IOCP_NET_LIMIT queuedBytes',
    ]);
    test.match(last, /^node \{.*"connectionsPerAddress":1.*"firstByteMs":1,"queuedBytes":1/);
  },
);
