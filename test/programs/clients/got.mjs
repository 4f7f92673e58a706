import got from 'got';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { askNginx } from './nginx.mjs';

export async function run(place) {
  const agent = {
    http: new Agent({ keepAlive: true, maxSockets: 8 }),
    https: new SecureAgent({ keepAlive: true, maxSockets: 8 }),
  };
  const client = got.extend({
    agent,
    retry: { limit: 0 },
    responseType: 'buffer',
    https: { certificateAuthority: place.ca },
  });
  const get = async (url, begun) => {
    const request = client.get(url);
    if (begun) request.on('downloadProgress', begun);
    const { statusCode, body } = await request;
    return { status: statusCode, body };
  };
  await askNginx(place, { get, secureGet: get });
  agent.http.destroy();
  agent.https.destroy();
}
