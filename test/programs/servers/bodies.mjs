// Large bodies, there and back, over http or https: what is sent is a stream that both sides can
// make from its position, so that nobody has to keep it.
//
//   SECURE=1 KEY=… CERT=…
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { bytesUpTo } from '../bytes.mjs';

const { PORT = '8080', HOST = '127.0.0.1', SECURE, KEY, CERT } = process.env;

async function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (pathname === '/download') {
    const bytes = Number(searchParams.get('bytes'));
    response.setHeader('content-length', bytes);
    return pipeline(bytesUpTo(bytes), response);
  }
  const hash = createHash('sha256');
  await pipeline(request, hash);
  response.end(hash.digest('hex'));
}

const listener = (request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
};
const server = SECURE
  ? https.createServer({ key: KEY, cert: CERT }, listener)
  : http.createServer(listener);

server.listen(Number(PORT), HOST, () => {
  console.log(`listens on http://${HOST}:${server.address().port}`);
});

process.once('SIGTERM', () => server.close());
