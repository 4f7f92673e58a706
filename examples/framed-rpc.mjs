// Remote calls over framed connections: many at a time on each, answers in any order, errors, and
// heart-beats that notice a peer that is gone.
//
//   PORT=7000 HOST=127.0.0.1 node examples/framed-rpc.mjs    serves
//   node examples/framed-rpc.mjs --self-test                 serves and calls, says what came, and ends
import net from 'iocp-net'; // 'node:net' does as well
import { framed, lengthPrefixed } from 'iocp-net/framing';
import { once } from 'node:events';

const { PORT = '7000', HOST = '127.0.0.1' } = process.env;

const Kind = { request: 1, reply: 2, error: 3, ping: 4, pong: 5 };

/** length, request, kind, and a payload of JSON */
const codec = lengthPrefixed({
  after: { request: 'uint32', kind: 'uint8' },
  maxPayloadBytes: 1024 * 1024,
});

const heartbeat = {
  interval: 5000,
  ping: () => ({ request: 0, kind: Kind.ping }),
  isPing: ({ kind }) => kind === Kind.ping,
  pong: () => ({ request: 0, kind: Kind.pong }),
  isPong: ({ kind }) => kind === Kind.pong,
};

const methods = {
  add: ({ a, b }) => a + b,
  echo: (value) => value,
  async later({ milliseconds, value }) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return value;
  },
};

async function answer(payload) {
  const { method, params } = JSON.parse(payload);
  if (!Object.hasOwn(methods, method)) throw new Error(`there is no method ${method}`);
  return (await methods[method](params)) ?? null;
}

const connections = new Set();

/** Takes no more requests while answers wait that the client does not read. */
async function serve(connection) {
  for await (const { request, kind, payload } of connection) {
    if (kind !== Kind.request) throw new Error(`a client sent a frame of kind ${kind}`);
    const reply = (replyKind, value) => {
      if (connection.writable) {
        connection.send({ request, kind: replyKind, payload: JSON.stringify(value) });
      }
    };
    answer(payload).then(
      (value) => reply(Kind.reply, value),
      (error) => reply(Kind.error, error.message),
    );
    if (connection.writableNeedDrain) await once(connection, 'drain');
  }
}

const server = net.createServer({ noDelay: true }, (socket) => {
  const connection = framed(socket, codec, { heartbeat });
  connections.add(connection);
  connection.on('error', () => {}); // 'close' follows
  connection.on('close', () => connections.delete(connection));
  serve(connection).catch((error) => {
    console.error(error.message);
    connection.destroy();
  });
});

/** One connection to a server, and the calls that wait for their answers. */
class Client {
  #connection;
  #waiting = new Map();
  #last = 0;

  constructor(port, host) {
    const socket = net.connect({ port, host, noDelay: true });
    const onFrame = (frame) => this.#settle(frame);
    this.#connection = framed(socket, codec, { heartbeat, onFrame });
    this.#connection.on('error', (error) => this.#fail(error));
    this.#connection.on('close', () => this.#fail(new Error('the connection is closed')));
  }

  call(method, params) {
    this.#last = (this.#last + 1) >>> 0;
    const request = this.#last;
    return new Promise((resolve, reject) => {
      if (!this.#connection.writable) throw new Error('the connection is closed');
      const payload = JSON.stringify({ method, params });
      this.#connection.send({ request, kind: Kind.request, payload });
      this.#waiting.set(request, { resolve, reject });
    });
  }

  close() {
    this.#connection.end();
  }

  #settle({ request, kind, payload }) {
    const call = this.#waiting.get(request);
    if (call === undefined) throw new Error(`an answer to no request: ${request}`);
    this.#waiting.delete(request);
    const value = JSON.parse(payload);
    if (kind === Kind.reply) call.resolve(value);
    else call.reject(new Error(value));
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

async function selfTest(port) {
  const client = new Client(port, HOST);
  console.log('2 + 3 =', await client.call('add', { a: 2, b: 3 }));
  const order = [];
  const slow = client
    .call('later', { milliseconds: 100, value: 'slow' })
    .then((v) => order.push(v));
  const fast = client.call('echo', 'fast').then((value) => order.push(value));
  await Promise.all([slow, fast]);
  console.log('answers in the order', order.join(', '));
  await client.call('none').catch((error) => console.log('refused:', error.message));
  const large = 'x'.repeat(500_000);
  console.log('echoed', (await client.call('echo', large)).length, 'characters');
  const sums = await Promise.all(
    Array.from({ length: 10_000 }, (_, a) => client.call('add', { a, b: 1 })),
  );
  console.log('correct sums:', sums.filter((sum, a) => sum === a + 1).length);
  client.close();
  server.close();
}

const isSelfTest = process.argv.includes('--self-test');

server.listen(isSelfTest ? 0 : Number(PORT), HOST, async () => {
  const { port } = server.address();
  if (isSelfTest) await selfTest(port);
  else console.log(`Calls are served on ${HOST}:${port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    for (const connection of connections) connection.destroy();
  });
}
