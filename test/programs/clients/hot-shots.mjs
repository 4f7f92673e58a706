// A client of statsd, and the server's side of it.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import StatsD from 'hot-shots';

/** Fewer than the system keeps for a socket that is not read meanwhile. */
const AT_ONCE = 50;

const close = (client) => promisify(client.close).call(client);

/** Keeps the metrics that came. */
async function serve(type, host) {
  const socket = createSocket(type);
  const lines = [];
  let datagrams = 0;
  socket.on('message', (bytes) => {
    datagrams++;
    lines.push(...String(bytes).split('\n').filter(Boolean));
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  return {
    host,
    port,
    /** The next ones, when there are so many. */
    async take(count) {
      while (lines.length < count) await once(socket, 'message');
      return lines.splice(0);
    },
    datagrams: () => datagrams,
    close: () => socket.close(),
  };
}

export async function run({ check, record }) {
  const server = await serve('udp4', '127.0.0.1');
  const { host, port } = server;
  const open = (options) => new StatsD({ host, port, ...options });

  async function eachKind() {
    const client = open({ prefix: 'app', globalTags: { env: 'test' } });
    client.increment('visits');
    client.gauge('load', 0.5);
    client.timing('answer', 42);
    client.histogram('size', 1234);
    client.unique('users', 'somebody');
    client.childClient({ suffix: 'child' }).decrement('visits', 3, ['a:b']);
    client.event('deployed', 'all of it');
    client.check('alive', client.CHECKS.OK);
    await record('lines', await server.take(8));
    await close(client);
  }

  async function oneByOne() {
    const client = open();
    const increment = promisify(client.increment).bind(client);
    for (let round = 0; round < 20; round++) {
      const names = Array.from({ length: AT_ONCE }, (_, n) => `metric.${round}.${n}`);
      await Promise.all(names.map((name) => increment(name)));
      assert.deepEqual(
        await server.take(AT_ONCE),
        names.map((name) => `${name}:1|c`),
      );
    }
    await close(client);
  }

  async function gathered() {
    const client = open({ maxBufferSize: 1400, bufferFlushInterval: 20 });
    const before = server.datagrams();
    for (let n = 0; n < 1000; n++) client.gauge('gathered', n);
    const lines = await server.take(1000);
    assert.deepEqual(
      lines,
      Array.from({ length: 1000 }, (_, n) => `gathered:${n}|g`),
    );
    await record('datagrams', server.datagrams() - before);
    await close(client);
  }

  async function byName() {
    const client = open({ host: 'localhost', cacheDns: true });
    for (let n = 0; n < 10; n++) client.set('user', n);
    assert.equal((await server.take(10)).length, 10);
    await close(client);
  }

  async function overIPv6() {
    const six = await serve('udp6', '::1');
    const client = new StatsD({ host: '::1', port: six.port });
    client.increment('six');
    assert.deepEqual(await six.take(1), ['six:1|c']);
    await close(client);
    six.close();
  }

  async function failures() {
    const client = open();
    const gauge = promisify(client.gauge).bind(client);
    const failure = async (name) => {
      const { code, message } = await gauge(name, 1).catch((error) => error);
      return [code, message.replace(String(port), 'its port')];
    };
    await record('too large', await failure('x'.repeat(70_000)));
    await close(client);
    await record('closed', await failure('late'));
  }

  await check('metrics of each kind', eachKind);
  await check('1000 metrics, a datagram for each', oneByOne);
  await check('1000 metrics, gathered in few', gathered);
  await check('to a name', byName);
  await check('over IPv6', overIPv6);
  await check('failures', failures);
  server.close();
}
