// HTTP and WebSocket through a proxy, to servers of ours that run here, on Node's own net.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { httpTraffic } from './http.mjs';
import { wsTraffic } from './ws.mjs';

function* numberedLines(count) {
  for (let line = 0; line < count; line++) yield `${String(line).padStart(15, '0')}\n`;
}

async function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const [, name, argument] = pathname.split('/');
  switch (`${request.method} ${name}`) {
    case 'GET ':
      return response.end('Hello, world!\n');
    case 'GET items':
      return response.end(
        JSON.stringify({ id: argument, query: Object.fromEntries(searchParams) }),
      );
    case 'POST json':
      return response.end(JSON.stringify(await json(request)));
    case 'POST echo':
      return request.pipe(response);
    case 'GET lines':
      return Readable.from(numberedLines(Number(argument))).pipe(response);
  }
  response.statusCode = 404;
  response.end();
}

/** What the proxy's environment has to say; the target lives until this process ends. */
export async function proxyTarget() {
  const server = createServer(serve);
  const sockets = new WebSocketServer({ server, maxPayload: 64 * 1024 * 1024 });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  return { TARGET: `http://127.0.0.1:${server.address().port}` };
}

export async function proxyTraffic(how) {
  await httpTraffic(how);
  await wsTraffic(how);
}
