// Traffic for the examples of plain TCP.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

const mib = 1024 * 1024;

class Guest {
  static async arrive(port) {
    const guest = new Guest();
    guest.socket = connect(port, '127.0.0.1');
    guest.lines = createInterface({ input: guest.socket })[Symbol.asyncIterator]();
    guest.name = (await guest.hear()).replace('you are ', '');
    return guest;
  }

  async hear() {
    return (await this.lines.next()).value;
  }

  say(text) {
    this.socket.write(`${text}\n`);
  }
}

async function talk(port) {
  const guests = [];
  for (let n = 0; n < 20; n++) {
    const guest = await Guest.arrive(port);
    for (const other of guests) assert.equal(await other.hear(), `${guest.name} has come`);
    guests.push(guest);
  }
  for (const speaker of guests) {
    const texts = Array.from({ length: 50 }, (_, n) => `line ${n} ${'ü'.repeat(n)}`);
    texts.forEach((text) => speaker.say(text));
    for (const guest of guests.filter((each) => each !== speaker)) {
      for (const text of texts) assert.equal(await guest.hear(), `${speaker.name}: ${text}`);
    }
  }
  while (guests.length > 0) {
    const leaving = guests.pop();
    leaving.socket.end();
    for (const other of guests) assert.equal(await other.hear(), `${leaving.name} has gone`);
  }
}

export async function chatTraffic({ port, check }) {
  await check('20 guests, each hears all others in their order', () => talk(port));
}

/** Echoes; what ends is answered to the end. Its port for the proxy's environment. */
export async function echoTarget() {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  return { TARGET: `127.0.0.1:${server.address().port}` };
}

async function echo(port, bytes) {
  const sent = randomBytes(bytes);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(sent);
  assert.ok((await buffer(socket)).equals(sent));
}

async function vanish(port) {
  for (let n = 0; n < 20; n++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(randomBytes(mib));
    await once(socket, 'data');
    socket.resetAndDestroy();
  }
  await echo(port, 100);
}

export async function tcpProxyTraffic({ port, check }) {
  await check('200 connections', () =>
    Promise.all(Array.from({ length: 200 }, (_, n) => echo(port, n * 100))),
  );
  await check('32 MiB there and back', () => echo(port, 32 * mib));
  await check('connections that vanish', () => vanish(port));
}
