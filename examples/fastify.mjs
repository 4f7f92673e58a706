// An ordinary Fastify program. It is on iocp-net by how it is started:
//
//   npm install fastify iocp-net
//   node --import iocp-net/register fastify.mjs
import Fastify from 'fastify';
import { Readable } from 'node:stream';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

function* numberedLines(count) {
  for (let line = 0; line < count; line++) yield `${String(line).padStart(15, '0')}\n`;
}

const app = Fastify();

app.get('/', () => 'Hello, world!\n');

app.get('/items/:id', ({ params, query }) => ({ id: params.id, query }));

app.post('/json', ({ body }) => body);

// Up and down at once: bodies that are no JSON come as a stream.
app.addContentTypeParser('*', (request, payload, done) => done(null, payload));
app.post('/echo', { bodyLimit: 2 ** 40 }, ({ body }) => body);

app.get('/lines/:count', ({ params }, reply) =>
  reply.type('text/plain').send(Readable.from(numberedLines(Number(params.count)))),
);

console.log(`Fastify listens on ${await app.listen({ port: Number(PORT), host: HOST })}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
