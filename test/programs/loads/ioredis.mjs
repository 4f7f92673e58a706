import { Redis } from 'ioredis';

/** On each of four connections 50 commands at once, as one pipeline sends them. */
export const lanes = 4;
export const each = 50;

export async function open({ port }, lane, commands) {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true });
  await client.connect();
  await client.set(`key ${lane}`, 'x'.repeat(64));
  return () => {
    const batch = client.pipeline();
    for (let n = 0; n < commands; n++) batch.get(`key ${lane}`);
    return batch.exec();
  };
}
