/** The server of one run: `server.js echo|http ours|node`. Tells its port to its parent. */
import type { Server } from 'node:net';
import type { Usage } from './messages';

type Net = typeof import('node:net');
type Http = typeof import('node:http');

const ours = process.argv[3] === 'ours';

function load<T>(mine: string, builtin: string): T {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- one of two, chosen at run time
  return require(ours ? mine : builtin) as T;
}

function echoServer(): Server {
  const net = load<Net>('../../entry/net.cjs', 'node:net');
  return net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (!socket.write(chunk)) socket.pause();
    });
    socket.on('drain', () => socket.resume());
  });
}

function httpServer(): Server {
  const http = load<Http>('../../entry/http.cjs', 'node:http');
  const body = 'Hello, World!';
  return http.createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
    response.end(body);
  });
}

const server = process.argv[2] === 'http' ? httpServer() : echoServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () => {
  const { engine } = load<{ engine: { backend: string } }>(
    '../../entry/engine.cjs',
    '../../entry/engine.cjs',
  );
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.send?.({ port, backend: ours ? engine.backend : 'node' });
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ micros: user + system } satisfies Usage);
});
process.on('disconnect', () => process.exit());
