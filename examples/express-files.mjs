// Files of a folder in an Express program, sent by the system itself:
//
//   npm install express iocp-net
//   ROOT=public node --import iocp-net/register express-files.mjs
//
// How is in file-response.mjs.
import express from 'express';
import { basename, join } from 'node:path';
import { respondWithFile } from './file-response.mjs';

const { PORT = '8080', HOST = '127.0.0.1', ROOT = '.' } = process.env;

const app = express();

// Express sends HEAD here, too.
app.get('/files/:name', async (request, response, next) => {
  const name = basename(request.params.name);
  response.type(name);
  try {
    await respondWithFile(request, response, join(ROOT, name));
  } catch (error) {
    next(error.code === 'ENOENT' ? undefined : error); // without an error it goes on to the 404
  }
});

const server = app.listen(Number(PORT), HOST, () => {
  console.log(`Express listens on http://${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
