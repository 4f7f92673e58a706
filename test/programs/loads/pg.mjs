import pg from 'pg';

/** A prepared query on each of 16 connections. */
export const lanes = 16;

export async function open({ port }) {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'tester', database: 'postgres' });
  await client.connect();
  const query = { name: 'one', text: 'select $1::int as n', values: [1] };
  return () => client.query(query);
}
