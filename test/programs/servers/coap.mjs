// A server of CoAP, the HTTP of small devices.
import { createServer } from 'coap';

const { PORT = '5683', HOST = '127.0.0.1' } = process.env;

function countTo(end, response) {
  let next = 0;
  const ticks = setInterval(() => {
    if (next < end) return response.write(String(next++));
    clearInterval(ticks);
    response.end();
  }, 10);
}

const server = createServer((request, response) => {
  const [, name, argument] = request.url.split('/');
  switch (`${request.method} ${name}`) {
    case 'GET hello':
      return response.end(`Hello, ${argument}!`);
    case 'GET bytes':
      return response.end(Buffer.alloc(Number(argument), 'a block '));
    case 'POST echo':
      response.code = '2.04';
      return response.end(request.payload);
    case 'GET count':
      return countTo(Number(argument), response);
  }
  response.code = '4.04';
  response.end();
});

server.listen(Number(PORT), HOST, () => {
  console.log(`CoAP is served on coap://${HOST}:${PORT}`);
});

process.once('SIGTERM', () => server.close());
