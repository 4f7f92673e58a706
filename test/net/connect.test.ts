import t from 'tap';
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { load, run } from '../support/child';
import { closing, closed, closeServer, listen, quiet, unusedPort } from '../support/sockets';

type Lookup = NonNullable<nodeNet.TcpSocketConnectOpts['lookup']>;

/** Answers every name with these addresses. */
const answer = (...addresses: { address: string; family: number }[]): Lookup =>
  ((_host: string, _options: unknown, callback: (...args: unknown[]) => void) =>
    process.nextTick(callback, null, addresses)) as Lookup;

const v4 = { address: '127.0.0.1', family: 4 };
const v6 = { address: '::1', family: 6 };

const attemptEvents = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'connect',
  'error',
  'close',
];

/** Notes attempts without port numbers. */
function watchAttempts(
  socket: nodeNet.Socket,
  port: number,
  log: (...what: unknown[]) => void,
): void {
  const hide = (value: unknown): unknown =>
    value === port
      ? 'PORT'
      : value instanceof Error
        ? value.message.replaceAll(String(port), 'PORT')
        : value;
  for (const event of attemptEvents) {
    socket.on(event, (...args: unknown[]) => log(event, ...args.map(hide)));
  }
}

const attempted = (socket: nodeNet.Socket, port: number): string[] | undefined =>
  socket.autoSelectFamilyAttemptedAddresses?.map((each) => each.replace(String(port), 'PORT'));

sameAsNode(t, 'the second address answers', async ({ net: module, log }) => {
  const server = module.createServer((socket) => socket.end('hello'));
  const port = await listen(server);
  const client = module.connect({
    port,
    host: 'example.test',
    lookup: answer(v6, v4),
    autoSelectFamily: true,
  });
  watchAttempts(client, port, log);
  void closing(client);
  const [chunk] = (await once(client, 'data')) as [Buffer];
  log(String(chunk), attempted(client, port), client.remoteAddress);
  await closing(client);
  await closeServer(server);
});

sameAsNode(t, 'no address answers', async ({ net: module, log }) => {
  const port = await unusedPort(module);
  const client = module.connect({
    port,
    host: 'example.test',
    lookup: answer(v4, v6, { address: '127.0.0.2', family: 4 }),
    autoSelectFamily: true,
  });
  watchAttempts(client, port, log);
  void closing(client);
  const [error] = (await once(client, 'error')) as [AggregateError & NodeJS.ErrnoException];
  log(error.name, error.message, error.code, error.constructor === AggregateError);
  log(error.errors.map((each: Error) => each.message.replaceAll(String(port), 'PORT')));
  log(attempted(client, port), client.destroyed);
  await closing(client);
});

sameAsNode(
  t,
  'doubles and nonsense are left out, families alternate',
  async ({ net: module, log }) => {
    const port = await unusedPort(module);
    const client = module.connect({
      port,
      host: 'example.test',
      lookup: answer(
        v4,
        v4,
        { address: '127.0.0.2', family: 4 },
        { address: 'nonsense', family: 4 },
        { address: '::1', family: 7 },
        v6,
      ),
      autoSelectFamily: true,
    });
    client.on('error', () => {});
    await closing(client);
    log(attempted(client, port));
  },
);

sameAsNode(t, 'one address of several is no choice', async ({ net: module, log }) => {
  const port = await unusedPort(module);
  const client = module.connect({
    port,
    host: 'example.test',
    lookup: answer(v4),
    autoSelectFamily: true,
  });
  watchAttempts(client, port, log);
  await closing(client);
  log(client.autoSelectFamilyAttemptedAddresses);
});

for (const [name, addresses] of Object.entries({
  'an address that is none': [{ address: 'x', family: 4 }],
  'a family that is none': [{ address: '127.0.0.1', family: 100 }],
  'an object for an address': [{ address: {} as string, family: 4 }],
})) {
  for (const autoSelectFamily of [true, false]) {
    sameAsNode(t, `lookup gives ${name}, all: ${autoSelectFamily}`, async ({ net: module }) => {
      const lookup = autoSelectFamily
        ? answer(...addresses)
        : (((_host: string, _options: unknown, callback: (...args: unknown[]) => void) =>
            callback(null, addresses[0]?.address, addresses[0]?.family)) as Lookup);
      const client = module.connect({ port: 9, host: 'example.test', lookup, autoSelectFamily });
      const [error] = (await once(client, 'error')) as [Error];
      return error;
    });
  }
}

for (const autoSelectFamily of [true, false]) {
  sameAsNode(t, `lookup fails, all: ${autoSelectFamily}`, async ({ net: module, log }) => {
    const client = module.connect({
      port: 9,
      host: 'example.test',
      autoSelectFamily,
      lookup: ((_host: string, _options: unknown, callback: (error: Error) => void) =>
        callback(new Error('no such name'))) as Lookup,
    });
    watchAttempts(client, 9, log);
    await closing(client);
  });
}

sameAsNode(t, 'what lookup is asked for', async ({ net: module, log }) => {
  for (const family of [undefined, 4, 6, 'IPv4', 'IPv6'] as number[]) {
    for (const autoSelectFamily of [true, false]) {
      const client = module.connect({
        port: 9,
        host: 'example.test',
        family,
        autoSelectFamily,
        lookup: (host: string, options: object) => log(host, { ...options }),
      });
      await closed(client);
    }
  }
});

t.test('an attempt that takes too long gives way to the next', async (test) => {
  const server = net.createServer((socket) => socket.end());
  const port = await listen(server);
  const client = net.connect({
    port,
    host: 'example.test',
    // Nobody answers in TEST-NET-1; where there is no route at all the attempt fails instead.
    lookup: answer({ address: '192.0.2.1', family: 4 }, { address: '::1', family: 6 }, v4),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 50,
  });
  let givenUp = 0;
  client.on('connectionAttemptTimeout', () => givenUp++);
  client.on('connectionAttemptFailed', () => givenUp++);
  await once(client, 'connect');
  test.ok(givenUp >= 1);
  test.equal(client.remoteAddress, '127.0.0.1');
  await closed(client);
  await closeServer(server);
});

sameAsNode(t, 'destroyed with one of several attempts under way', async ({ net: module, log }) => {
  const server = module.createServer((socket) => quiet(socket).destroy());
  const port = await listen(server);
  const client = module.connect({
    port,
    host: 'example.test',
    lookup: answer(v4, v6),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 60_000,
  });
  watchAttempts(client, port, log);
  client.once('connectionAttempt', () => process.nextTick(() => client.destroy()));
  await closing(client);
  log(attempted(client, port));
  await closeServer(server);
});

t.test('destroyed meanwhile, the timer of the attempt does not keep the process', async (test) => {
  const { signal } = await run(
    `${load('net')}
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const found = [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }];
      const client = net.connect({
        port: server.address().port,
        host: 'example.test',
        lookup: (host, options, callback) => process.nextTick(callback, null, found),
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: 60000,
      });
      client.once('connectionAttempt', () => process.nextTick(() => client.destroy()));
      client.once('close', () => server.close());
    });`,
  );
  test.equal(signal, null);
});

sameAsNode(t, 'a signal that is aborted', async ({ net: module, log }) => {
  const controller = new AbortController();
  const server = module.createServer();
  const port = await listen(server);
  const client = module.connect({ port, host: '127.0.0.1', signal: controller.signal } as never);
  client.on('connect', () => controller.abort());
  void closing(client);
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  log(error.name, error.code);
  await closing(client);
  await closeServer(server);
});

t.test('blockList of a socket', async (test) => {
  const blockList = new net.BlockList();
  blockList.addAddress('127.0.0.1');
  const socket = new net.Socket({ blockList });
  if (!('blockList' in socket)) return;
  socket.connect(9, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  test.equal(error.code, 'ERR_IP_BLOCKED');
});

t.test('what is written before connecting arrives', async (test) => {
  const server = net.createServer((socket) => socket.pipe(socket));
  const port = await listen(server);
  const client = net.connect(port, 'localhost');
  client.write('one ');
  client.cork();
  client.write('two ');
  client.write('three');
  client.uncork();
  client.end();
  client.setEncoding('utf8');
  let text = '';
  for await (const chunk of client) text += chunk as string;
  test.equal(text, 'one two three');
  await closeServer(server);
});
