import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { askNginx } from './nginx.mjs';

export async function run(place) {
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 8 }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: 8, ca: place.ca }),
  };
  const get = async (url, begun) => {
    const { protocol } = new URL(url);
    const { request } = protocol === 'http:' ? http : https;
    const asked = request(url, { agent: agents[protocol] }).end();
    const [response] = await once(asked, 'response');
    begun?.();
    return { status: response.statusCode, body: await buffer(response) };
  };
  await askNginx(place, { get, secureGet: get });
  for (const agent of Object.values(agents)) agent.destroy();
}
