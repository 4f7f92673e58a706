import assert from 'node:assert/strict';
import postgres from 'postgres';

export async function run({ port, ca, check, record, stopServer, startServer }) {
  const where = { host: '127.0.0.1', port, user: 'tester', database: 'postgres', onnotice() {} };

  async function connected(work, options = {}) {
    const sql = postgres({ ...where, ...options });
    try {
      await work(sql);
    } finally {
      await sql.end({ timeout: 5 });
    }
  }

  /** On few connections, without waiting for one answer before the next query. */
  async function pipelined(sql) {
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => sql`select ${n}::int as n, ${'x'.repeat(n)} as text`),
    );
    answers.forEach((rows, n) => assert.deepEqual([...rows], [{ n, text: 'x'.repeat(n) }]));
  }

  async function cursor(sql) {
    let next = 0;
    const query = sql`select n, repeat('y', 1000) as text from generate_series(0, 19999) n`;
    for await (const rows of query.cursor(500)) {
      for (const { n, text } of rows) {
        assert.equal(n, next++);
        assert.equal(text.length, 1000);
      }
    }
    assert.equal(next, 20000);
  }

  async function restart() {
    let onnotice;
    const begun = new Promise((resolve) => (onnotice = resolve));
    await connected(
      async (sql) => {
        await sql`select 1`;
        const query = sql`do $$ begin raise notice 'begun'; perform pg_sleep(60); end $$`.catch(
          (error) => error,
        );
        await begun;
        await stopServer();
        await record('query under way', await query);
        await record('query afterwards', await sql`select 1`.catch((error) => error));
        await startServer();
        // The driver connects again by itself, but may still tell the old error once.
        const again = await sql`select 2 as n`.catch((error) => error);
        await record('query after the restart', again instanceof Error ? again : [...again]);
      },
      { max: 1, backoff: 0.1, onnotice },
    );
    await connected(pipelined, { max: 2 });
  }

  await check('1000 queries, pipelined', () => connected(pipelined, { max: 2 }));
  await check('a cursor over 20 MB', () => connected(cursor));
  await check('over TLS', () => connected(pipelined, { max: 2, ssl: { ca } }));
  await check('the server restarts', restart);
}
