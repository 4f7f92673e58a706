import axios from 'axios';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { askNginx } from './nginx.mjs';

export async function run(place) {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 8 });
  const httpsAgent = new SecureAgent({ keepAlive: true, maxSockets: 8, ca: place.ca });
  const get = async (url, begun) => {
    const options = { httpAgent, httpsAgent, responseType: 'arraybuffer', proxy: false };
    if (begun) options.onDownloadProgress = begun;
    const { status, data } = await axios.get(url, options);
    return { status, body: data };
  };
  await askNginx(place, { get, secureGet: get });
  httpAgent.destroy();
  httpsAgent.destroy();
}
