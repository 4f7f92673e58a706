// An ordinary node:http program but for the first import.
//
//   PORT=8080 HOST=127.0.0.1 node examples/http-server.mjs
import http from 'iocp-net/http';
import { engine } from 'iocp-net/engine';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

const server = http.createServer((request, response) => {
  if (request.method === 'POST') {
    request.pipe(response);
    return;
  }
  response.setHeader('Content-Type', 'text/plain');
  response.end('Hello, world!\n');
});

server.listen(Number(PORT), HOST, () => {
  const { address, family, port } = server.address();
  const host = family === 'IPv6' ? `[${address}]` : address;
  console.log(`http://${host}:${port} (backend: ${engine.backend})`);
});

// Requests under way are answered; connections without one are closed at once.
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // The second time it is meant.
    if (stopping) server.closeAllConnections();
    stopping = true;
    server.close();
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 5000).unref();
  });
}
