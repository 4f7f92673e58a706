// What people ask of an HTTP server, with clients on Node's own net and from elsewhere. The server
// has the routes of examples/express.mjs.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { root } from '../program.mjs';

const require = createRequire(`${root}/package.json`);
const mib = 1024 * 1024;

const numberedLines = (count) =>
  Buffer.from(Array.from({ length: count }, (_, n) => `${String(n).padStart(15, '0')}\n`).join(''));

/** Sends a request; `body` is a list of chunks. */
async function ask(port, path, { body, ...options } = {}) {
  const request = httpRequest({ port, host: '127.0.0.1', path, ...options });
  if (body === undefined) request.end();
  else {
    const sending = (async () => {
      for (const chunk of body) if (!request.write(chunk)) await once(request, 'drain');
      request.end();
    })();
    sending.catch(() => {}); // told by 'response'
  }
  const [response] = await once(request, 'response');
  return response;
}

async function answer(port, path, options) {
  const response = await ask(port, path, options);
  return { status: response.statusCode, body: await buffer(response) };
}

const item = (id) => ({ id: String(id), query: { n: String(id) } });
const itemPath = (id) => `/items/${id}?n=${id}`;

async function manyOnFewConnections(port) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  try {
    const ids = Array.from({ length: 200 }, (_, id) => id);
    const answers = await Promise.all(ids.map((id) => answer(port, itemPath(id), { agent })));
    for (const id of ids) {
      assert.equal(answers[id].status, 200);
      assert.deepEqual(JSON.parse(answers[id].body), item(id));
    }
  } finally {
    agent.destroy();
  }
}

/** All requests in one write: the answers come in their order. */
async function pipelined(port) {
  const count = 100;
  const socket = connect(port, '127.0.0.1');
  const requests = Array.from({ length: count }, (_, id) => {
    const end = id === count - 1 ? 'Connection: close\r\n' : '';
    return `GET ${itemPath(id)} HTTP/1.1\r\nHost: localhost\r\n${end}\r\n`;
  });
  socket.write(requests.join(''));
  const text = String(await buffer(socket));
  const found = [...text.matchAll(/\{"id":"(\d+)","query":\{"n":"(\d+)"\}\}/g)];
  assert.deepEqual(
    found.map(([, id, n]) => [Number(id), Number(n)]),
    requests.map((_, id) => [id, id]),
  );
}

async function jsonBody(port) {
  const sent = { text: 'Grüße, 世界', list: Array.from({ length: 2000 }, (_, n) => n * n) };
  const options = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const { status, body } = await answer(port, '/json', {
    ...options,
    body: [JSON.stringify(sent)],
  });
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), sent);
}

function cut(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + randomInt(1, 100_000));
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}

const octets = { 'content-type': 'application/octet-stream' };

async function echo(port, headers) {
  const sent = randomBytes(4 * mib);
  const options = { method: 'POST', headers: { ...octets, ...headers }, body: cut(sent) };
  const { status, body } = await answer(port, '/echo', options);
  assert.equal(status, 200);
  assert.ok(body.equals(sent), `${body.length} bytes, or others`);
}

async function expectContinue(port) {
  const sent = randomBytes(50_000);
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path: '/echo',
    method: 'POST',
    headers: { ...octets, expect: '100-continue', 'content-length': sent.length },
  });
  // Both may come in one piece.
  const continued = once(request, 'continue');
  const answered = once(request, 'response');
  request.flushHeaders();
  await continued;
  request.end(sent);
  const [response] = await answered;
  assert.ok((await buffer(response)).equals(sent));
}

const linesCount = 200_000;

async function download(port) {
  const { status, body } = await answer(port, `/lines/${linesCount}`);
  assert.equal(status, 200);
  assert.ok(body.equals(numberedLines(linesCount)), `${body.length} bytes, or others`);
}

/** Somebody who stops reading gets all the same, and only later. */
async function slowReader(port) {
  const response = await ask(port, `/lines/${linesCount}`, { agent: false });
  await once(response, 'readable');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok((await buffer(response)).equals(numberedLines(linesCount)));
}

async function abandoned(port) {
  for (let time = 0; time < 5; time++) {
    const response = await ask(port, `/lines/${linesCount}`, { agent: false });
    await once(response, 'data');
    response.destroy();
  }
  assert.equal((await answer(port, '/')).status, 200);
}

/** The answer comes, and then the end. */
async function old(port) {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const text = String(await buffer(socket));
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.ok(text.endsWith('Hello, world!\n'), text);
}

/** Runs a client program to its end; its standard output. */
async function run(command, args, input = '') {
  const child = spawn(command, args, { stdio: 'pipe', timeout: 60_000, killSignal: 'SIGKILL' });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, 'close'),
  ]);
  assert.equal(code, 0, `${command}: ${stderr}`);
  return stdout;
}

async function curl(port) {
  const url = `http://127.0.0.1:${port}`;
  const sent = randomBytes(3 * mib);
  const type = `content-type: ${octets['content-type']}`;
  const args = ['-sS', '--max-time', '30', '-H', type, '--data-binary', '@-', `${url}/echo`];
  assert.ok((await run('curl', args, sent)).equals(sent));
  const many = await run('curl', ['-sS', '--max-time', '30', `${url}/items/[1-100]?n=x`]);
  assert.equal([...String(many).matchAll(/"id":"(\d+)"/g)].length, 100);
}

async function wrk(port) {
  const args = ['-t1', '-c64', '-d1s', '--timeout', '20s', `http://127.0.0.1:${port}/`];
  const text = String(await run('wrk', args));
  assert.doesNotMatch(text, /Socket errors|Non-2xx/);
  assert.match(text, /[1-9]\d* requests in/);
}

async function autocannon(port) {
  const args = ['-c', '50', '-p', '10', '-a', '5000', '-t', '30', '-j', '-n'];
  const command = [require.resolve('autocannon'), ...args, `http://127.0.0.1:${port}/`];
  const { errors, timeouts, non2xx, mismatches, requests } = JSON.parse(
    String(await run(process.execPath, command)),
  );
  assert.deepEqual([errors, timeouts, non2xx, mismatches], [0, 0, 0, 0]);
  // It leaves before the last answers of a connection have come.
  assert.ok(requests.total >= 4500, `${requests.total} requests`);
}

const isInstalled = (command) => spawnSync(command, ['--version']).error === undefined;

/**
 * @param {object} how
 * @param {number} how.port
 * @param {(name: string, work: () => Promise<void>) => Promise<void>} how.check
 * @param {(name: string, reason: string) => void} how.skip
 */
export async function httpTraffic({ port, check, skip }) {
  await check('hello', async () => {
    const { status, body } = await answer(port, '/');
    assert.deepEqual([status, String(body)], [200, 'Hello, world!\n']);
  });
  await check('a page that is not there', async () => {
    assert.equal((await answer(port, '/nothing/here')).status, 404);
  });
  await check('200 requests on 8 kept connections', () => manyOnFewConnections(port));
  await check('100 requests in one write', () => pipelined(port));
  await check('a body of JSON', () => jsonBody(port));
  await check('4 MiB there and back, chunked', () => echo(port, {}));
  await check('4 MiB there and back, of known length', () =>
    echo(port, { 'content-length': 4 * mib }),
  );
  await check('Expect: 100-continue', () => expectContinue(port));
  await check('a download', () => download(port));
  await check('a download that pauses', () => slowReader(port));
  await check('downloads given up', () => abandoned(port));
  await check('HTTP/1.0', () => old(port));
  for (const [name, work] of Object.entries({ curl, wrk })) {
    if (isInstalled(name)) await check(name, () => work(port));
    else skip(name, 'not installed');
  }
  await check('autocannon, 50 connections, 10 requests at once', () => autocannon(port));
}
