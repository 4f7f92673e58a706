// What every library is asked to do that answers in the place of the network. Each brings:
//
//   start({ mocked, away, awaySecure, broken })  from now on answers for these origins, and for no
//       others: GET `mocked`/hello with 203, 'x-mocked: yes' and 'a mocked hello'; POST
//       `mocked`/echo with the body; the same for `away` and `awaySecure`, which do not exist; any
//       request to `broken` fails
//   stop()  from now on answers for nobody
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';

const hosts = {
  away: 'http://api.example',
  awaySecure: 'https://api.example',
  broken: 'http://broken.example',
};

function ask(url, { method = 'GET', body } = {}) {
  const request = (url.startsWith('https:') ? https : http).request(url, { method, agent: false });
  return request.end(body);
}

async function answer(request) {
  const [response] = await once(request, 'response');
  return {
    status: response.statusCode,
    mocked: response.headers['x-mocked'],
    body: await buffer(response),
  };
}

/** What the socket and the answer of a request tell, in order. */
async function events(request) {
  const seen = [];
  const watch = (emitter, names) => {
    for (const name of names) emitter.on(name, () => seen.push(name));
  };
  watch(request, ['finish', 'response']);
  request.on('socket', (socket) => watch(socket, ['connect', 'secureConnect', 'ready']));
  request.on('response', (response) => {
    watch(response, ['end']);
    response.resume();
  });
  await once(request, 'close');
  return seen;
}

/** Says which request it answers, and what came with it. */
async function realServer() {
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    response.end(`really ${request.url} ${body.length}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return { server, origin: `http://127.0.0.1:${port}`, mocked: `http://localhost:${port}` };
}

export async function askMocked({ check, record }, { start, stop }) {
  const { server, origin, mocked } = await realServer();
  await start({ ...hosts, mocked });

  async function hello(from) {
    const { status, mocked: header, body } = await answer(ask(`${from}/hello`));
    assert.deepEqual([status, header, String(body)], [203, 'yes', 'a mocked hello']);
  }

  async function echo(from, size) {
    const sent = Buffer.alloc(size, 'a body ');
    const { body } = await answer(ask(`${from}/echo`, { method: 'POST', body: sent }));
    assert.ok(body.equals(sent));
  }

  async function real(path, size) {
    const sent = Buffer.alloc(size, 'x');
    const { body } = await answer(ask(`${origin}${path}`, { method: 'POST', body: sent }));
    assert.equal(String(body), `really ${path} ${size}`);
  }

  await check('answers for a server that is there', () => hello(mocked));
  await check('answers for one that is not', () => hello(hosts.away));
  await check('answers over TLS', () => hello(hosts.awaySecure));
  await check('echoes 300,000 bytes', () => echo(hosts.away, 300_000));
  await check('echoes 300,000 bytes over TLS', () => echo(hosts.awaySecure, 300_000));
  await check('answers ten at once', () =>
    Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? hello(mocked) : echo(mocked, n)))),
  );
  await record('events', await events(ask(`${hosts.away}/hello`)));
  await record('events over TLS', await events(ask(`${hosts.awaySecure}/hello`)));
  await check('fails where it is told to', async () => {
    const error = await answer(ask(`${hosts.broken}/hello`)).catch((failed) => failed);
    assert.ok(error instanceof Error);
    await record('error', error);
  });
  await check('lets others through', () => real('/let-through', 500_000));
  await stop();
  await check('is gone when it is stopped', async () => {
    const { status, body } = await answer(ask(`${mocked}/hello`));
    assert.deepEqual([status, String(body)], [200, 'really /hello 0']);
  });
  server.close();
  server.closeAllConnections();
}
