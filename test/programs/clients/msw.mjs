import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { askMocked } from './mocked.mjs';

const server = setupServer();

function start({ mocked, away, awaySecure, broken }) {
  for (const origin of [mocked, away, awaySecure]) {
    server.use(
      http.get(`${origin}/hello`, () =>
        HttpResponse.text('a mocked hello', { status: 203, headers: { 'x-mocked': 'yes' } }),
      ),
      http.post(`${origin}/echo`, async ({ request }) =>
        HttpResponse.arrayBuffer(await request.arrayBuffer()),
      ),
    );
  }
  server.use(http.get(`${broken}/hello`, () => HttpResponse.error()));
  server.listen({ onUnhandledRequest: 'bypass' });
}

export function run(place) {
  return askMocked(place, { start, stop: () => server.close() });
}
