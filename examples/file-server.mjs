// Files over HTTP, sent by the system itself where the connection is plain TCP on the core.
//
//   PORT=8080 HOST=127.0.0.1 ROOT=. node examples/file-server.mjs
//
// Answers GET and HEAD, and a range of bytes (`Range: bytes=0-99`); how is in file-response.mjs.
import { join, normalize } from 'node:path';
import http from 'iocp-net/http';
import { respondWithFile } from './file-response.mjs';

const { PORT = '8080', HOST = '127.0.0.1', ROOT = '.' } = process.env;

/** Below the root, wherever the request points. */
function pathOf(url) {
  const { pathname } = new URL(url, 'http://localhost');
  return join(ROOT, normalize(join('/', decodeURIComponent(pathname))));
}

async function serve(request, response) {
  const { method, url } = request;
  if (method !== 'GET' && method !== 'HEAD') return response.writeHead(405).end();
  response.setHeader('Content-Type', 'application/octet-stream');
  return respondWithFile(request, response, pathOf(url));
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((error) => {
    if (!response.headersSent) response.writeHead(error.code === 'ENOENT' ? 404 : 500).end();
    else response.destroy();
  });
});

server.listen(Number(PORT), HOST, () => {
  const { address, family, port } = server.address();
  console.log(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
});
