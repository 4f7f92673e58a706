// Socket.IO clients on Node's own net: by long polling, by WebSocket, and changing over.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { io } from 'socket.io-client';

const mib = 1024 * 1024;

async function open(port, transports) {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports,
    forceNew: true,
    reconnection: false,
  });
  const failed = once(socket, 'connect_error').then(([error]) => Promise.reject(error));
  await Promise.race([once(socket, 'connect'), failed]);
  return socket;
}

async function echo(port, transports) {
  const socket = await open(port, transports);
  try {
    for (let n = 0; n < 100; n++) {
      const value = { n, text: 'ü'.repeat(n), list: [n, [n]] };
      assert.deepEqual(await socket.emitWithAck('echo', value), value);
    }
    const bytes = randomBytes(mib);
    assert.ok(bytes.equals(Buffer.from(await socket.emitWithAck('echo', bytes))));
  } finally {
    socket.close();
  }
}

async function changesOver(port) {
  const socket = await open(port, ['polling', 'websocket']);
  try {
    if (socket.io.engine.transport.name !== 'websocket') await once(socket.io.engine, 'upgrade');
    assert.equal(await socket.emitWithAck('echo', 'changed'), 'changed');
  } finally {
    socket.close();
  }
}

/** What one says comes to all of the room, in its order. */
async function rooms(port) {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(port, ['websocket'])));
  try {
    await Promise.all(sockets.map((socket, n) => socket.emitWithAck('join', `room ${n % 2}`)));
    const heard = sockets.map(() => []);
    const all = Promise.all(
      sockets.map(
        (socket, n) =>
          new Promise((resolve) => {
            socket.on('said', (text) => {
              if (heard[n].push(text) === 200) resolve();
            });
          }),
      ),
    );
    for (let n = 0; n < 400; n++) sockets[n % 2].emit('say', `room ${n % 2}`, n);
    await all;
    heard.forEach((texts, n) => {
      assert.deepEqual(
        texts,
        Array.from({ length: 200 }, (_, each) => 2 * each + (n % 2)),
      );
    });
  } finally {
    for (const socket of sockets) socket.close();
  }
}

export async function socketIoTraffic({ port, check }) {
  await check('long polling', () => echo(port, ['polling']));
  await check('WebSocket', () => echo(port, ['websocket']));
  await check('from polling to WebSocket', () => changesOver(port));
  await check('two rooms', () => rooms(port));
}
