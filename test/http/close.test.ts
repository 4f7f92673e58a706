import t from 'tap';
import { once } from 'node:events';
import * as nodeHttp from 'node:http';
import * as nodeNet from 'node:net';
import { get, raw, request, serve } from '../support/http';
import { closing, delay } from '../support/sockets';

t.test('close() waits for the answer under way', async (test) => {
  const { server, port } = await serve((_asked, answer) => {
    setTimeout(() => answer.end('late'), 80);
  });
  const answer = request(port, { agent: new nodeHttp.Agent() });
  await once(server, 'request');
  const over = new Promise((resolve) => server.close(resolve));
  test.equal(String((await answer).body), 'late');
  await over;
  test.equal(server.listening, false);
});

t.test('closeIdleConnections() leaves the busy ones', async (test) => {
  const { server, port, close } = await serve((asked, answer) => {
    if (asked.url === '/slow') setTimeout(() => answer.end('slow'), 100);
    else answer.end('fast');
  });
  const idle = nodeNet.connect(port, '127.0.0.1');
  idle.write(get('/'));
  await once(idle, 'data');
  const idleOver = closing(idle);
  const slow = request(port, { path: '/slow' });
  await once(server, 'request');
  server.closeIdleConnections();
  idle.resume();
  await idleOver;
  test.equal(String((await slow).body), 'slow');
  await close();
});

t.test('closeAllConnections() closes the busy ones too', async (test) => {
  const { server, port, close } = await serve(() => {});
  const clients = Array.from({ length: 5 }, () => {
    const client = nodeNet.connect(port, '127.0.0.1', () => client.write(get('/')));
    client.on('error', () => {});
    client.resume();
    return closing(client);
  });
  for (let each = 0; each < 5; each++) await once(server, 'request');
  server.closeAllConnections();
  await Promise.all(clients);
  test.pass();
  await close();
});

t.test('requestTimeout answers 408', async (test) => {
  const { port, close } = await serve((asked) => void asked.resume(), {
    requestTimeout: 100,
    headersTimeout: 100,
    connectionsCheckingInterval: 20,
  });
  const text = await raw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome');
  test.match(text, /^HTTP\/1\.1 408 Request Timeout/);
  await close();
});

t.test('headersTimeout answers 408', async (test) => {
  const { port, close } = await serve(() => test.fail('no request'), {
    headersTimeout: 100,
    connectionsCheckingInterval: 20,
  });
  test.match(await raw(port, 'GET / HTTP/1.1\r\nHost:'), /^HTTP\/1\.1 408 Request Timeout/);
  await close();
});

t.test('keepAliveTimeout ends an idle connection', async (test) => {
  const { port, close } = await serve((_asked, answer) => void answer.end('x'), {
    keepAliveTimeout: 100,
  });
  const started = Date.now();
  test.match(await raw(port, get('/')), /^HTTP\/1\.1 200/);
  test.ok(Date.now() - started >= 90);
  await close();
});

t.test('server.setTimeout() ends a quiet connection', async (test) => {
  const { server, port, close } = await serve(() => {});
  server.setTimeout(80);
  const client = nodeNet.connect(port, '127.0.0.1', () => client.write(get('/')));
  client.on('error', () => {});
  client.resume();
  await closing(client);
  test.pass();
  await close();
});

t.test('the timeout event of a server', async (test) => {
  const { server, port, close } = await serve(() => {});
  const timedOut = new Promise<nodeNet.Socket>((resolve) => server.setTimeout(50, resolve));
  const client = nodeNet.connect(port, '127.0.0.1', () => client.write(get('/')));
  client.on('error', () => {});
  const socket = await timedOut;
  test.equal(socket.destroyed, false);
  await close();
  client.destroy();
});

t.test('maxRequestsPerSocket', async (test) => {
  const { server, port, close } = await serve((_asked, answer) => void answer.end('x'));
  server.maxRequestsPerSocket = 2;
  const text = await raw(port, get('/') + get('/') + get('/'));
  test.strictSame(
    [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '200', '503'],
  );
  await delay(1);
  await close();
});
