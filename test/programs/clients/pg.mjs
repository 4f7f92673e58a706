import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';

const md5 = (text) => createHash('md5').update(text).digest('hex');

export async function run({ port, ca, check, record, stopServer, startServer }) {
  const where = { host: '127.0.0.1', port, user: 'tester', database: 'postgres' };

  async function connected(work, options = {}) {
    const client = new pg.Client({ ...where, ...options });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }

  async function manyQueries(client) {
    for (let n = 0; n < 500; n++) {
      const { rows } = await client.query('select $1::int as n, repeat($2, $1) as text', [n, 'ü']);
      assert.deepEqual(rows, [{ n, text: 'ü'.repeat(n) }]);
    }
  }

  async function largeResult(client) {
    const { rows } = await client.query(
      'select repeat(md5(n::text), 50) as text from generate_series(1, 10000) n order by n',
    );
    assert.equal(rows.length, 10000);
    rows.forEach(({ text }, n) => assert.equal(text, md5(String(n + 1)).repeat(50)));
  }

  async function largeParameter(client) {
    const bytes = Buffer.alloc(8_000_000, 'abcdefg');
    const { rows } = await client.query('select $1::bytea as back', [bytes]);
    assert.ok(rows[0].back.equals(bytes));
  }

  async function pool() {
    const pool = new pg.Pool({ ...where, max: 10 });
    try {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) => pool.query('select $1::int as n', [n])),
      );
      answers.forEach(({ rows }, n) => assert.deepEqual(rows, [{ n }]));
    } finally {
      await pool.end();
    }
  }

  async function notified() {
    await connected(async (listener) => {
      const heard = [];
      const all = new Promise((resolve) => {
        listener.on('notification', ({ payload }) => {
          if (heard.push(payload) === 100) resolve();
        });
      });
      await listener.query('listen news');
      await connected(async (speaker) => {
        for (let n = 0; n < 100; n++) await speaker.query(`notify news, '${n}'`);
      });
      await all;
      assert.deepEqual(
        heard,
        heard.map((_, n) => String(n)),
      );
    });
  }

  async function restart() {
    const client = new pg.Client(where);
    client.on('error', (error) => void record('error of the client', error));
    await client.connect();
    const ended = new Promise((resolve) => client.once('end', resolve));
    const begun = once(client, 'notice');
    const query = client
      .query("do $$ begin raise notice 'begun'; perform pg_sleep(60); end $$")
      .catch((error) => error);
    await begun;
    await stopServer();
    await record('query under way', await query);
    await ended;
    await record('query afterwards', await client.query('select 1').catch((error) => error));
    const refused = new pg.Client(where);
    await record('connect', await refused.connect().catch((error) => error));
    await startServer();
    await connected(manyQueries);
  }

  await check('500 queries', () => connected(manyQueries));
  await check('a result of 16 MB', () => connected(largeResult));
  await check('a parameter of 8 MB', () => connected(largeParameter));
  await check('a pool', pool);
  await check('notifications', notified);
  await check('over TLS', () => connected(manyQueries, { ssl: { ca } }));
  await check('16 MB over TLS', () => connected(largeResult, { ssl: { ca } }));
  await check('the server restarts', restart);
}
