import t from 'tap';
import * as nodeHttp from 'node:http';
import * as nodeNet from 'node:net';
import * as http from 'iocp-net/http';
import * as net from 'iocp-net';
import { get, raw, readBody, request, serve } from '../support/http';
import { pattern } from '../support/sockets';

t.test('a request and its answer', async (test) => {
  const { server, port, close } = await serve((asked, answer) => {
    test.ok(asked.socket instanceof net.Socket);
    test.ok(asked.socket instanceof nodeNet.Socket);
    test.equal(asked.socket.remoteAddress, '127.0.0.1');
    answer.setHeader('x-path', asked.url ?? '');
    answer.end('hello');
  });
  test.ok(server instanceof http.Server);
  test.ok(server instanceof nodeHttp.Server);
  const { status, headers, body } = await request(port, { path: '/some/path' });
  test.strictSame([status, headers['x-path'], String(body)], [200, '/some/path', 'hello']);
  await close();
});

t.test('many requests over one connection', async (test) => {
  const sockets = new Set();
  const { port, close } = await serve((asked, answer) => {
    sockets.add(asked.socket);
    answer.end(asked.url);
  });
  const agent = new nodeHttp.Agent({ keepAlive: true, maxSockets: 1 });
  for (let each = 0; each < 50; each++) {
    const { body } = await request(port, { path: `/${each}`, agent });
    test.equal(String(body), `/${each}`);
  }
  test.equal(sockets.size, 1);
  agent.destroy();
  await close();
});

t.test('many connections at once', async (test) => {
  const { port, close } = await serve((asked, answer) => {
    setTimeout(() => answer.end(asked.url), 5);
  });
  const agent = new nodeHttp.Agent({ keepAlive: true });
  const paths = Array.from({ length: 200 }, (_, each) => `/${each}`);
  const answers = await Promise.all(paths.map((path) => request(port, { path, agent })));
  test.strictSame(
    answers.map(({ body }) => String(body)),
    paths,
  );
  agent.destroy();
  await close();
});

t.test('pipelined requests are answered in order', async (test) => {
  const { port, close } = await serve((asked, answer) => {
    const wait = asked.url === '/slow' ? 30 : 0;
    setTimeout(() => answer.end(asked.url), wait);
  });
  const text = await raw(port, get('/slow') + get('/a') + get('/b', 'Connection: close'));
  const order = ['/slow', '/a', '/b'].map((path) => text.indexOf(`\r\n\r\n${path}`));
  test.ok(order.every((at) => at > 0));
  test.strictSame(
    order,
    order.toSorted((a, b) => a - b),
  );
  await close();
});

t.test('requests that arrive in pieces', async (test) => {
  const { port, close } = await serve((asked, answer) => void answer.end(asked.headers['x-long']));
  const text = get('/', `X-Long: ${'x'.repeat(5000)}`, 'Connection: close');
  const socket = nodeNet.connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  for (let at = 0; at < text.length; at += 700) {
    socket.write(text.slice(at, at + 700));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  let answer = '';
  for await (const chunk of socket) answer += chunk as string;
  test.ok(answer.endsWith('x'.repeat(5000)));
  await close();
});

t.test('chunked answers, with trailers', async (test) => {
  const { port, close } = await serve((_asked, answer) => {
    answer.writeHead(200, { trailer: 'x-sum' });
    answer.write('one,');
    setTimeout(() => {
      answer.write('two,');
      answer.addTrailers({ 'x-sum': '3' });
      answer.end('three');
    }, 10);
  });
  const { headers, body } = await request(port);
  test.equal(headers['transfer-encoding'], 'chunked');
  test.equal(String(body), 'one,two,three');
  await close();
});

t.test('large answers, read slowly', async (test) => {
  const bytes = pattern(8 << 20);
  const { port, close } = await serve((_asked, answer) => void answer.end(bytes));
  const { body } = await request(port);
  test.ok(body.equals(bytes));
  await close();
});

t.test('an upload, with its length and chunked', async (test) => {
  const bytes = pattern(8 << 20);
  const { port, close } = await serve((asked, answer) => {
    void readBody(asked).then((body) => answer.end(String(body.equals(bytes))));
  });
  for (const headers of [{ 'content-length': bytes.length }, { 'transfer-encoding': 'chunked' }]) {
    const { body } = await request(port, { method: 'POST', headers }, bytes);
    test.equal(String(body), 'true');
  }
  await close();
});

t.test('an upload that nobody reads waits at the client', async (test) => {
  let goOn = (): void => {};
  const { port, close } = await serve((asked, answer) => {
    goOn = () => void readBody(asked).then((body) => answer.end(String(body.length)));
  });
  const bytes = pattern(32 << 20);
  const asked = nodeHttp.request({ port, host: '127.0.0.1', method: 'POST' });
  const answered = new Promise<nodeHttp.IncomingMessage>((resolve) =>
    asked.once('response', resolve),
  );
  asked.end(bytes);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const waiting = asked.socket?.writableLength ?? 0;
  // Wine takes everything into its own memory at once, from node:net to node:net as well.
  const taken = process.platform === 'win32' ? 'Wine does not push back' : false;
  test.ok(waiting > 8 << 20, `${waiting} bytes not taken`, taken ? { skip: taken } : {});
  goOn();
  test.equal(String(await readBody(await answered)), String(bytes.length));
  await close();
});

t.test('Expect: 100-continue', async (test) => {
  const { port, close } = await serve((asked, answer) => {
    void readBody(asked).then((body) => answer.end(body));
  });
  const asked = nodeHttp.request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { expect: '100-continue', 'content-length': 4 },
  });
  asked.flushHeaders();
  await new Promise((resolve) => asked.once('continue', resolve));
  const answered = new Promise<nodeHttp.IncomingMessage>((resolve) =>
    asked.once('response', resolve),
  );
  asked.end('body');
  test.equal(String(await readBody(await answered)), 'body');
  await close();
});

t.test('nonsense gets 400', async (test) => {
  const { port, close } = await serve(() => test.fail('no request'));
  test.match(await raw(port, 'this is not HTTP\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request/);
  await close();
});

t.test('HTTP/1.0 closes after the answer', async (test) => {
  const { port, close } = await serve((_asked, answer) => void answer.end('old'));
  const text = await raw(port, 'GET / HTTP/1.0\r\n\r\n');
  test.ok(text.endsWith('old'));
  await close();
});

t.test('a client that goes away', async (test) => {
  const { server, port, close } = await serve((asked, answer) => {
    answer.write('begun');
    answer.once('close', () => server.emit('test:gone', answer.writableFinished));
    asked.resume();
  });
  const gone = new Promise((resolve) => server.once('test:gone', resolve));
  const socket = nodeNet.connect(port, '127.0.0.1', () => socket.write(get('/')));
  socket.once('data', () => socket.destroy());
  test.equal(await gone, false);
  await close();
});

t.test('the exports are those of node:http', async (test) => {
  const ours = http as unknown as Record<string, unknown>;
  const onTheCore = ['Server', 'createServer', 'Agent', 'globalAgent', 'request', 'get'];
  for (const name of Object.keys(nodeHttp)) {
    if (name === 'default') continue; // added by the interop of import
    const same = ours[name] === (nodeHttp as unknown as Record<string, unknown>)[name];
    test.equal(same, !onTheCore.includes(name), name);
  }
  test.ok((http.Server as unknown as () => nodeHttp.Server)() instanceof http.Server);
});
