// What msw and nock are made of, in the version that puts its own methods on the handle.
import { BatchInterceptor } from '@mswjs/interceptors';
import interceptors from '@mswjs/interceptors/presets/node';
import { askMocked } from './mocked.mjs';

const interceptor = new BatchInterceptor({ name: 'mocked', interceptors });

async function answer(request) {
  if (request.method === 'POST') return new Response(await request.arrayBuffer());
  return new Response('a mocked hello', { status: 203, headers: { 'x-mocked': 'yes' } });
}

function start({ mocked, away, awaySecure, broken }) {
  const answered = [mocked, away, awaySecure];
  interceptor.apply();
  interceptor.on('request', async ({ request, controller }) => {
    const { origin } = new URL(request.url);
    if (origin === broken) controller.errorWith(new Error('told to fail'));
    else if (answered.includes(origin)) controller.respondWith(await answer(request));
  });
}

export function run(place) {
  return askMocked(place, { start, stop: () => interceptor.dispose() });
}
