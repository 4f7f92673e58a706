import mysql from 'mysql2/promise';

/** A prepared statement on each of 16 connections. */
export const lanes = 16;

export async function open({ port }) {
  const where = { host: '127.0.0.1', port, user: 'root', database: 'mysql' };
  const connection = await mysql.createConnection(where);
  return () => connection.execute('select ? as n', [1]);
}
