import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';

export async function run({ port, tlsPort, ca, check, record, stopServer, startServer }) {
  const where = { host: '127.0.0.1', port, lazyConnect: true };

  async function connected(work, options = {}) {
    const client = new Redis({ ...where, ...options });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.quit();
    }
  }

  async function pipeline(client) {
    const numbers = Array.from({ length: 2000 }, (_, n) => n);
    const batch = client.pipeline();
    for (const n of numbers) batch.set(`key ${n}`, `value ${n}`).get(`key ${n}`);
    const answers = await batch.exec();
    for (const n of numbers) {
      assert.deepEqual(answers[2 * n], [null, 'OK']);
      assert.deepEqual(answers[2 * n + 1], [null, `value ${n}`]);
    }
  }

  async function large(client) {
    const bytes = randomBytes(24 * 1024 * 1024);
    await client.set('large', bytes);
    assert.ok((await client.getBuffer('large')).equals(bytes));
  }

  async function channels() {
    await connected(async (listener) => {
      await listener.subscribe('news');
      const heard = [];
      const all = new Promise((resolve) => {
        listener.on('message', (_, text) => {
          if (heard.push(Number(text)) === 1000) resolve();
        });
      });
      await connected((speaker) =>
        Promise.all(Array.from({ length: 1000 }, (_, n) => speaker.publish('news', n))),
      );
      await all;
      heard.forEach((text, n) => assert.equal(text, n));
    });
  }

  async function restart() {
    const client = new Redis({ ...where, retryStrategy: null, maxRetriesPerRequest: 0 });
    client.on('error', (error) => void record('error of the client', error));
    await client.connect();
    const ended = once(client, 'end');
    const query = client.blpop('nothing', 0).catch((error) => error);
    await connected(async (observer) => {
      while (!/blocked_clients:1/.test(await observer.info('clients')));
    });
    await stopServer();
    await record('command under way', await query);
    await ended;
    await record('connect', await client.connect().catch((error) => error));
    await startServer();
    await connected(pipeline);
  }

  const secure = { port: tlsPort, tls: { ca, servername: 'localhost' } };
  await check('4000 commands, pipelined', () => connected(pipeline));
  await check('24 MiB there and back', () => connected(large));
  await check('1000 messages of a channel', channels);
  await check('over TLS', () => connected(pipeline, secure));
  await check('24 MiB over TLS', () => connected(large, secure));
  await check('the server restarts', restart);
}
