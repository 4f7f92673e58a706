// Traffic for a WebSocket server that echoes, from the ws client on Node's own net.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const mib = 1024 * 1024;

async function open(port, options = { perMessageDeflate: false }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
  await once(socket, 'open');
  return socket;
}

async function close(socket) {
  socket.close(1000, 'done');
  const [code, reason] = await once(socket, 'close');
  assert.deepEqual([code, String(reason)], [1000, 'done']);
}

/** Sends all, and waits until all are back, in their order. */
async function sendAll(socket, messages) {
  const back = [];
  const all = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.on('message', (data, isBinary) => {
      back.push(isBinary ? data : String(data));
      if (back.length === messages.length) resolve();
    });
  });
  for (const message of messages) socket.send(message);
  await all;
  socket.removeAllListeners();
  messages.forEach((message, n) => {
    const isSame = typeof message === 'string' ? message === back[n] : message.equals(back[n]);
    assert.ok(isSame, `message ${n} of ${message.length}`);
  });
}

const mixed = (count, most) =>
  Array.from({ length: count }, (_, n) =>
    n % 2 === 0 ? `text ${n} ${'ü'.repeat(n % 97)}` : randomBytes(randomInt(0, most)),
  );

async function exchange(port, messages, options) {
  const socket = await open(port, options);
  await sendAll(socket, messages);
  await close(socket);
}

async function fragments(port) {
  const socket = await open(port);
  const parts = Array.from({ length: 20 }, () => randomBytes(10_000));
  const back = once(socket, 'message');
  parts.forEach((part, n) => socket.send(part, { fin: n === parts.length - 1, binary: true }));
  assert.ok(Buffer.concat(parts).equals((await back)[0]));
  await close(socket);
}

async function pings(port) {
  const socket = await open(port);
  for (let n = 0; n < 100; n++) {
    const back = once(socket, 'pong');
    socket.ping(`ping ${n}`);
    assert.equal(String((await back)[0]), `ping ${n}`);
  }
  await close(socket);
}

async function gone(port) {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(port)));
  for (const socket of sockets) {
    socket.send(randomBytes(mib));
    socket.terminate();
  }
  await exchange(port, ['still there']);
}

export async function wsTraffic({ port, check, skip, windows }) {
  await check('messages in their order', () => exchange(port, mixed(500, 2000)));
  await check('large messages', () => exchange(port, mixed(12, 4 * mib)));
  await check('50 clients at once', () =>
    Promise.all(Array.from({ length: 50 }, () => exchange(port, mixed(50, 2000)))),
  );
  await check('compressed messages', () =>
    exchange(port, mixed(50, 50_000), { perMessageDeflate: { threshold: 0 } }),
  );
  await check('fragments', () => fragments(port));
  await check('ping and pong', () => pings(port));
  // docs/windows.md, Wine's own gaps: the answers would stay pending, and keep the program.
  if (windows)
    skip('clients that vanish', 'under Wine a send that meets a reset may complete late or never');
  else await check('clients that vanish', () => gone(port));
}
