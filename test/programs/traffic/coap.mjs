// Clients of CoAP on Node's own dgram.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'coap';
import { freePort } from '../../../scripts/free-port.mjs';

/** The server would not tell which port it was given. */
export const coapPlace = async () => ({ PORT: String(await freePort()) });

async function ask(options, body) {
  const asked = request({ host: '127.0.0.1', ...options });
  if (options.block !== undefined) asked.setOption('Block2', Buffer.of(options.block));
  asked.end(body);
  const [response] = await once(asked, 'response');
  return response;
}

async function hello(options, name) {
  const { code, payload } = await ask({ ...options, pathname: `/hello/${name}` });
  assert.deepEqual([code, String(payload)], ['2.05', `Hello, ${name}!`]);
}

async function manyAtOnce(options) {
  for (let round = 0; round < 10; round++) {
    const names = Array.from({ length: 50 }, (_, n) => `${round}-${n}`);
    await Promise.all(names.map((name) => hello(options, name)));
  }
}

/** In blocks of 1024 bytes, one after the other. */
async function inBlocks(options) {
  const { payload } = await ask({ ...options, pathname: '/bytes/50000', block: 6 });
  assert.ok(payload.equals(Buffer.alloc(50_000, 'a block ')));
}

async function echo(options, length) {
  const body = Buffer.alloc(length, 'an echo ');
  const { code, payload } = await ask({ ...options, pathname: '/echo', method: 'POST' }, body);
  assert.equal(code, '2.04');
  assert.ok(payload.equals(body));
}

async function observe(options) {
  const response = await ask({ ...options, pathname: '/count/20', observe: true });
  const heard = [];
  response.on('data', (payload) => heard.push(Number(String(payload))));
  while (heard.length < 20) await once(response, 'data');
  response.close();
  assert.deepEqual(
    heard,
    Array.from({ length: 20 }, (_, n) => n),
  );
}

async function absent(options) {
  const { code } = await ask({ ...options, pathname: '/nothing' });
  assert.equal(code, '4.04');
}

export async function coapTraffic({ port, check }) {
  // One of its own an agent closes between two requests, and sends the second on it.
  const socket = createSocket('udp4');
  const agent = new Agent({ socket });
  const options = { port, agent };
  await check('500 requests, 50 at once', () => manyAtOnce(options));
  await check('requests that nobody confirms', () =>
    Promise.all(Array.from({ length: 20 }, (_, n) => hello({ ...options, confirmable: false }, n))),
  );
  await check('a socket for each request', () =>
    Promise.all(Array.from({ length: 50 }, (_, n) => hello({ port, agent: false }, n))),
  );
  await check('an answer in blocks', () => inBlocks(options));
  for (const length of [0, 1, 1000]) {
    await check(`an echo of ${length} bytes`, () => echo(options, length));
  }
  await check('what changes is observed', () => observe(options));
  await check('what is absent', () => absent(options));
  socket.close();
}
