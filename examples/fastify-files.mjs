// Files of a folder in a Fastify program, sent by the system itself:
//
//   npm install fastify iocp-net
//   ROOT=public node --import iocp-net/register fastify-files.mjs
//
// How is in file-response.mjs.
import Fastify from 'fastify';
import { basename, join } from 'node:path';
import { respondWithFile } from './file-response.mjs';

const { PORT = '8080', HOST = '127.0.0.1', ROOT = '.' } = process.env;

const app = Fastify();

// Fastify sends HEAD here, too.
app.get('/files/:name', async (request, reply) => {
  const path = join(ROOT, basename(request.params.name));
  reply.raw.setHeader('Content-Type', 'application/octet-stream');
  reply.hijack(); // the response is ours from here on, and no hook sees what is sent
  try {
    await respondWithFile(request.raw, reply.raw, path);
  } catch (error) {
    reply.raw.writeHead(error.code === 'ENOENT' ? 404 : 500).end();
  }
});

console.log(`Fastify listens on ${await app.listen({ port: Number(PORT), host: HOST })}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
