import Mitm from 'mitm';
import { askMocked } from './mocked.mjs';

let mitm;

function start({ mocked, away, broken }) {
  const answered = [mocked, away].map((origin) => new URL(origin).hostname);
  mitm = Mitm();
  mitm.on('connect', (socket, { host }) => {
    if (`http://${host}` === broken) socket.destroy(new Error('told to fail'));
    else if (!answered.includes(host)) socket.bypass();
  });
  mitm.on('request', (request, response) => {
    if (request.method === 'POST') request.pipe(response);
    else response.writeHead(203, { 'x-mocked': 'yes' }).end('a mocked hello');
  });
}

export function run(place) {
  return askMocked(place, { start, stop: () => mitm.disable() });
}
