import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import mysql from 'mysql2/promise';

const md5 = (text) => createHash('md5').update(text).digest('hex');

export async function run({ port, ca, check, record, stopServer, startServer }) {
  const where = { host: '127.0.0.1', port, user: 'root', database: 'mysql' };

  async function connected(work, options = {}) {
    const connection = await mysql.createConnection({ ...where, ...options });
    try {
      await work(connection);
    } finally {
      await connection.end();
    }
  }

  async function manyQueries(connection) {
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    const answers = await Promise.all(
      numbers.map((n) => connection.execute('select ? as n, repeat(?, 100) as text', [n, `${n};`])),
    );
    for (const n of numbers) {
      const [[row]] = answers[n];
      assert.deepEqual([Number(row.n), row.text], [n, `${n};`.repeat(100)]);
    }
  }

  async function largeResult(connection) {
    const [rows] = await connection.query('select seq, md5(seq) as hash from seq_1_to_100000');
    assert.equal(rows.length, 100_000);
    for (const { seq, hash } of rows) assert.equal(hash, md5(String(seq)));
  }

  /** More than 16 MiB: the protocol cuts it into packets. */
  async function largePacket(connection) {
    const text = 'abcdefgh'.repeat(2_500_000);
    const [[row]] = await connection.query('select ? as back', [text]);
    assert.equal(row.back, text);
  }

  async function restart() {
    const connection = await mysql.createConnection(where);
    connection.on('error', (error) => void record('error of the connection', error));
    const query = connection.query('select sleep(60)').catch((error) => error);
    const running = "select 1 from information_schema.processlist where info = 'select sleep(60)'";
    await connected(async (observer) => {
      while ((await observer.query(running))[0].length === 0);
    });
    await stopServer();
    await record('query under way', await query);
    await record('query afterwards', await connection.query('select 1').catch((error) => error));
    await record('connect', await mysql.createConnection(where).catch((error) => error));
    await startServer();
    await connected(manyQueries);
  }

  await check('500 prepared statements', () => connected(manyQueries));
  await check('100,000 rows', () => connected(largeResult));
  await check('20 MB there and back', () => connected(largePacket));
  await check('over TLS', () => connected(manyQueries, { ssl: { ca } }));
  await check('the server restarts', restart);
}
