import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import memjs from 'memjs';

const silent = { log() {} };

export async function run({ port, check, record, stopServer, startServer }) {
  const open = () => memjs.Client.create(`127.0.0.1:${port}`, { retries: 0, logger: silent });

  async function manyKeys(client) {
    const numbers = Array.from({ length: 1000 }, (_, n) => n);
    const value = (n) => `value ${n} `.repeat(n % 100);
    await Promise.all(numbers.map((n) => client.set(`key-${n}`, value(n), {})));
    for (const n of numbers) {
      const { value: found } = await client.get(`key-${n}`);
      assert.equal(String(found), value(n));
    }
  }

  async function large(client) {
    const bytes = randomBytes(1_000_000);
    for (let n = 0; n < 10; n++) {
      await client.set('large', bytes, {});
      assert.ok((await client.get('large')).value.equals(bytes));
    }
  }

  async function restart() {
    const client = open();
    await client.set('key', 'value', {});
    await stopServer();
    await setTimeout(300); // for the end of the connection to come
    await record('afterwards', await client.get('key').catch((error) => error));
    await startServer();
    const again = open();
    await manyKeys(again);
    again.close();
    client.close();
  }

  const client = open();
  await check('1000 keys', () => manyKeys(client));
  await check('1 MB, ten times', () => large(client));
  client.close();
  await check('the server restarts', restart);
}
