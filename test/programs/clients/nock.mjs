import nock from 'nock';
import { askMocked } from './mocked.mjs';

function start({ mocked, away, awaySecure, broken }) {
  for (const origin of [mocked, away, awaySecure]) {
    const scope = nock(origin).persist();
    scope.get('/hello').reply(203, 'a mocked hello', { 'x-mocked': 'yes' });
    scope.post('/echo').reply(200, (request) => request.text());
  }
  nock(broken).persist().get('/hello').replyWithError(new Error('told to fail'));
}

function stop() {
  nock.cleanAll();
  nock.restore();
}

export function run(place) {
  return askMocked(place, { start, stop });
}
