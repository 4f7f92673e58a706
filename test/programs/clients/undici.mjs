import { Agent, request } from 'undici';
import { askNginx } from './nginx.mjs';

export async function run(place) {
  const plain = new Agent({ connections: 4, pipelining: 10 });
  const secure = new Agent({ connections: 4, pipelining: 10, connect: { ca: place.ca } });
  const through = (dispatcher) => async (url, begun) => {
    const { statusCode, body } = await request(url, { dispatcher });
    begun?.();
    return { status: statusCode, body: Buffer.from(await body.arrayBuffer()) };
  };
  await askNginx(place, { get: through(plain), secureGet: through(secure) });
  await Promise.all([plain.close(), secure.close()]);
}
