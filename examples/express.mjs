// An ordinary Express program. It is on iocp-net by how it is started:
//
//   npm install express iocp-net
//   node --import iocp-net/register express.mjs
import express from 'express';
import { Readable } from 'node:stream';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

function* numberedLines(count) {
  for (let line = 0; line < count; line++) yield `${String(line).padStart(15, '0')}\n`;
}

const app = express();

app.get('/', (request, response) => response.send('Hello, world!\n'));

app.get('/items/:id', (request, response) => {
  response.json({ id: request.params.id, query: request.query });
});

app.post('/json', express.json(), (request, response) => response.json(request.body));

// Up and down at once.
app.post('/echo', (request, response) => request.pipe(response));

app.get('/lines/:count', (request, response) => {
  Readable.from(numberedLines(Number(request.params.count))).pipe(response.type('text/plain'));
});

const server = app.listen(Number(PORT), HOST, () => {
  console.log(`Express listens on http://${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
