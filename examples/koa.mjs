// An ordinary Koa program. It is on iocp-net by how it is started:
//
//   npm install koa iocp-net
//   node --import iocp-net/register koa.mjs
import Koa from 'koa';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

function* numberedLines(count) {
  for (let line = 0; line < count; line++) yield `${String(line).padStart(15, '0')}\n`;
}

const app = new Koa();

app.use(async (context) => {
  const [name, argument] = context.path.slice(1).split('/');
  switch (`${context.method} ${name}`) {
    case 'GET ':
      context.body = 'Hello, world!\n';
      break;
    case 'GET items':
      context.body = { id: argument, query: context.query };
      break;
    case 'POST json':
      context.body = await json(context.req);
      break;
    case 'POST echo': // up and down at once
      context.body = context.req;
      break;
    case 'GET lines':
      context.type = 'text/plain';
      context.body = Readable.from(numberedLines(Number(argument)));
      break;
  }
});

const server = app.listen(Number(PORT), HOST, () => {
  console.log(`Koa listens on http://${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
