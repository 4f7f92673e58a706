// hapi with the routes of examples/express.mjs.
import Hapi from '@hapi/hapi';
import { Readable } from 'node:stream';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

function* numberedLines(count) {
  for (let line = 0; line < count; line++) yield `${String(line).padStart(15, '0')}\n`;
}

const server = Hapi.server({ port: Number(PORT), host: HOST });

server.route([
  { method: 'GET', path: '/', handler: () => 'Hello, world!\n' },
  {
    method: 'GET',
    path: '/items/{id}',
    handler: ({ params, query }) => ({ id: params.id, query }),
  },
  { method: 'POST', path: '/json', handler: ({ payload }) => payload },
  {
    method: 'POST',
    path: '/echo',
    options: { payload: { output: 'stream', parse: false, maxBytes: 2 ** 40 } },
    handler: ({ payload }) => payload,
  },
  {
    method: 'GET',
    path: '/lines/{count}',
    handler: ({ params }, toolkit) =>
      toolkit
        .response(Readable.from(numberedLines(Number(params.count)), { objectMode: false }))
        .type('text/plain'),
  },
]);

await server.start();
console.log(`hapi listens on ${server.info.uri}`);

process.once('SIGTERM', () => server.stop());
