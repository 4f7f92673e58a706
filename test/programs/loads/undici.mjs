import { Pool } from 'undici';

/** 64 requests at a time on as many connections. */
export const lanes = 64;

let pool;

export async function open({ port }, lane) {
  pool ??= new Pool(`http://127.0.0.1:${port}`, { connections: lanes });
  return async () => {
    const { body } = await pool.request({ path: `/item/${lane}`, method: 'GET' });
    await body.dump();
  };
}
