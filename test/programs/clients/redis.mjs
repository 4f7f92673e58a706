import assert from 'node:assert/strict';
import { createClient } from 'redis';

export async function run({ port, tlsPort, ca, check, record, stopServer, startServer }) {
  const where = { host: '127.0.0.1', port, reconnectStrategy: false };

  async function connected(work, options = {}) {
    const client = createClient({ socket: { ...where, ...options } });
    client.on('error', (error) => void record('error of the client', error));
    await client.connect();
    try {
      await work(client);
    } finally {
      if (client.isOpen) await client.close();
    }
  }

  /** What is asked for in one turn goes in one batch. */
  async function batches(client) {
    const numbers = Array.from({ length: 2000 }, (_, n) => n);
    await Promise.all(numbers.map((n) => client.set(`key ${n}`, 'ü'.repeat(n % 50))));
    const answers = await Promise.all(numbers.map((n) => client.get(`key ${n}`)));
    for (const n of numbers) assert.equal(answers[n], 'ü'.repeat(n % 50));
  }

  async function large(client) {
    const text = 'abcdefgh'.repeat(2_000_000);
    await client.set('large', text);
    assert.equal(await client.get('large'), text);
  }

  async function restart() {
    const client = createClient({ socket: where });
    client.on('error', (error) => void record('error of the client', error));
    await client.connect();
    const query = client.blPop('nothing', 0).catch((error) => error);
    await connected(async (observer) => {
      while (!/blocked_clients:1/.test(await observer.info('clients')));
    });
    await stopServer();
    await record('command under way', await query);
    const refused = createClient({ socket: where });
    refused.on('error', () => {});
    await record('connect', await refused.connect().catch((error) => error));
    await startServer();
    await connected(batches);
  }

  const secure = { port: tlsPort, tls: true, ca, servername: 'localhost' };
  await check('4000 commands, in batches', () => connected(batches));
  await check('16 MB there and back', () => connected(large));
  await check('over TLS', () => connected(batches, secure));
  await check('the server restarts', restart);
}
