import t from 'tap';
import { once } from 'node:events';
import * as nodeHttp from 'node:http';
import type { Duplex } from 'node:stream';
import { request, serve } from '../support/http';
import { pattern } from '../support/sockets';

t.test('an upgraded connection is a plain socket', async (test) => {
  const { server, port, close } = await serve(() => test.fail('no request'));
  server.on('upgrade', (asked: nodeHttp.IncomingMessage, socket: Duplex, head: Buffer) => {
    test.equal(asked.headers.upgrade, 'echo');
    test.equal(head.length, 0);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
    );
    socket.pipe(socket);
  });
  const asked = nodeHttp.request({
    port,
    host: '127.0.0.1',
    headers: { connection: 'Upgrade', upgrade: 'echo' },
  });
  asked.end();
  const [, socket] = (await once(asked, 'upgrade')) as [nodeHttp.IncomingMessage, Duplex];
  const bytes = pattern(3 << 20);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.end(bytes);
  await once(socket, 'end');
  test.ok(Buffer.concat(chunks).equals(bytes));
  await close();
});

t.test('CONNECT', async (test) => {
  const { server, port, close } = await serve(() => test.fail('no request'));
  server.on('connect', (_asked: nodeHttp.IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.on('data', (chunk) => socket.end(chunk));
  });
  const asked = nodeHttp.request({ port, host: '127.0.0.1', method: 'CONNECT', path: 'a:1' });
  asked.end();
  const [, socket] = (await once(asked, 'connect')) as [nodeHttp.IncomingMessage, Duplex];
  socket.write('through');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  test.equal(String(chunk), 'through');
  socket.destroy();
  await close();
});

t.test('requests go on beside an upgraded connection', async (test) => {
  const { server, port, close } = await serve((_asked, answer) => void answer.end('plain'));
  server.on('upgrade', (_asked: nodeHttp.IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    socket.resume();
    socket.once('end', () => socket.end());
  });
  const asked = nodeHttp.request({
    port,
    host: '127.0.0.1',
    headers: { connection: 'Upgrade', upgrade: 'x' },
  });
  asked.end();
  const [, socket] = (await once(asked, 'upgrade')) as [nodeHttp.IncomingMessage, Duplex];
  test.equal(String((await request(port)).body), 'plain');
  socket.destroy();
  await close();
});
