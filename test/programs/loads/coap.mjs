import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'coap';

/** A request that is confirmed, and its answer, at a time by each of 64 clients. */
export const lanes = 64;

export async function open({ port }, lane) {
  // One of its own an agent closes between two requests.
  const agent = new Agent({ socket: createSocket('udp4') });
  return async () => {
    const asked = request({ host: '127.0.0.1', port, agent, pathname: `/hello/${lane}` });
    asked.end();
    const [{ code }] = await once(asked, 'response');
    if (code !== '2.05') throw new Error(`CoAP answers with ${code}`);
  };
}
