// What people ask of a server of files: whole and in part, on kept connections, in one write, and
// given up in between. The server has the routes of examples/express-files.mjs.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

const files = { small: randomBytes(1000), large: randomBytes(8_000_000), empty: Buffer.alloc(0) };

/** A folder with the files; gone when the process ends. */
export function folderOfFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-files-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return { ROOT: folder };
}

async function ask(port, name, options = {}) {
  const request = httpRequest({ port, host: '127.0.0.1', path: `/files/${name}`, ...options });
  const [response] = await once(request.end(), 'response');
  return response;
}

async function expect(port, name, options, { status = 200, body = files[name] } = {}) {
  const response = await ask(port, name, options);
  const received = await buffer(response);
  assert.equal(response.statusCode, status);
  assert.ok(received.equals(body), `${received.length} bytes of ${name}, not ${body.length}`);
  return response.headers;
}

const nothing = Buffer.alloc(0);

async function onOneConnection(port) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set();
  agent.on('free', (socket) => sockets.add(socket));
  try {
    for (let round = 0; round < 5; round++) {
      for (const name of Object.keys(files)) await expect(port, name, { agent });
      const { 'content-length': length } = await expect(
        port,
        'large',
        { agent, method: 'HEAD' },
        { body: nothing },
      );
      assert.equal(Number(length), files.large.length);
      const part = { status: 206, body: files.large.subarray(5_000_000, 7_000_000) };
      await expect(port, 'large', { agent, headers: { range: 'bytes=5000000-6999999' } }, part);
      const none = { status: 416, body: nothing };
      await expect(port, 'small', { agent, headers: { range: 'bytes=1000-' } }, none);
      assert.equal((await ask(port, 'absent', { agent }).then(drained)).statusCode, 404);
    }
    assert.equal(sockets.size, 1, 'connections');
  } finally {
    agent.destroy();
  }
}

async function drained(response) {
  await buffer(response);
  return response;
}

const head = (method, name) => `${method} /files/${name} HTTP/1.1\r\nHost: localhost\r\n`;

/** The responses in a stream, whose lengths are in their heads. */
function responsesIn(bytes, methods) {
  const found = [];
  for (const method of methods) {
    const end = bytes.indexOf('\r\n\r\n') + 4;
    assert.ok(end >= 4, 'a response is missing');
    const length = Number(/content-length: (\d+)/i.exec(String(bytes.subarray(0, end)))?.[1]);
    const body = method === 'HEAD' ? 0 : length;
    found.push(bytes.subarray(end, end + body));
    bytes = bytes.subarray(end + body);
  }
  assert.equal(bytes.length, 0, 'something follows');
  return found;
}

/** All requests in one write: the answers come in their order. */
async function inOneWrite(port) {
  const requests = Array.from({ length: 10 }, () => [
    ['GET', 'large'],
    ['HEAD', 'large'],
    ['GET', 'empty'],
    ['GET', 'small'],
  ]).flat();
  const socket = connect(port, '127.0.0.1');
  const heads = requests.map(([method, name]) => head(method, name));
  heads[heads.length - 1] += 'Connection: close\r\n';
  socket.write(heads.map((each) => `${each}\r\n`).join(''));
  const methods = requests.map(([method]) => method);
  const found = responsesIn(await buffer(socket), methods);
  requests.forEach(([method, name], at) => {
    const body = method === 'HEAD' ? nothing : files[name];
    assert.ok(found[at].equals(body), `answer ${at}, ${method} ${name}`);
  });
}

/** Clients that go while a file comes, with others that wait behind it. */
async function givenUp(port) {
  for (let time = 0; time < 10; time++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`${head('GET', 'large')}\r\n`.repeat(3));
    await once(socket, 'data');
    if (time % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  await expect(port, 'small');
}

export async function filesTraffic({ port, check }) {
  await check('35 requests on one connection', () => onOneConnection(port));
  await check('40 requests in one write', () => inOneWrite(port));
  await check('given up', () => givenUp(port));
}
