/** Connects that cannot be: repeated, to unknown zones, and from the wrong family; and whose 'close' it is. */
import t from 'tap';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:net';
import type * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import { closing, closeServer, delay, listen, quiet } from '../support/sockets';

const told = ['connectionAttempt', 'connectionAttemptFailed', 'connect', 'error', 'close'];

/** The local end, which Node prints, is not the same every time. */
const message = (what: unknown): unknown =>
  what instanceof Error ? what.message.replace(/ - Local.*/, '').replace(/\d{4,}/g, 'port') : what;

function watch(socket: nodeNet.Socket, log: (...what: unknown[]) => void): nodeNet.Socket {
  for (const event of told) {
    socket.on(event, (what: unknown) => log(event, what instanceof Error && message(what)));
  }
  return socket;
}

const repeated: Record<string, (socket: nodeNet.Socket, port: number) => void> = {
  'in the same tick': (socket, port) => {
    socket.connect(port, '127.0.0.1').connect(port, '127.0.0.1');
  },
  'three times': (socket, port) => {
    socket.connect(port, '127.0.0.1').connect(port, '127.0.0.1').connect(port, '127.0.0.1');
  },
  'to elsewhere': (socket, port) => {
    socket.connect(port, '127.0.0.1').connect(port, '127.0.0.2');
  },
};

for (const [when, connect] of Object.entries(repeated)) {
  sameAsNode(t, `connect() is repeated ${when}`, async ({ net, log }) => {
    const server = createServer((peer) => quiet(peer).resume());
    const port = await listen(server);
    const socket = watch(new net.Socket(), log);
    connect(socket, port);
    await closing(socket);
    log(socket.destroyed);
    await closeServer(server);
  });
}

const zone = { address: 'fe80::1%nosuch0', family: 6 };

sameAsNode(t, 'an unknown zone is no zone', async ({ net, log }) => {
  // What the system makes of the address without it: nothing at once, or an error of its own.
  const said: unknown[] = [];
  for (const host of [zone.address, 'fe80::1']) {
    const socket = watch(net.connect(9, host), (...what) => said.push(what.join()));
    await Promise.race([closing(socket), delay(100)]);
    socket.destroy();
    await closing(socket);
  }
  const half = said.length / 2;
  const without = said.map((each) => String(each).replace('%nosuch0', ''));
  log(without.slice(0, half).join() === without.slice(half).join());
});

const locals: [host: string, localAddress: string][] = [
  ['127.0.0.1', '::1'],
  ['127.0.0.1', '::ffff:127.0.0.1'],
  ['::1', '127.0.0.1'],
  ['::1', zone.address],
];

for (const [host, localAddress] of locals) {
  sameAsNode(t, `to ${host} from ${localAddress}`, async ({ net, log }) => {
    for (const isWatched of [false, true]) {
      const socket = net.connect({ port: 9, host, localAddress });
      if (isWatched) watch(socket, log);
      socket.once('error', (error: NodeJS.ErrnoException) => log(error.message, { ...error }));
      await closing(socket);
    }
  });
}

const endings: Record<string, (socket: nodeNet.Socket, port: number, inside: Run) => void> = {
  'at once': (socket, port, inside) => {
    socket.connect(port, '127.0.0.1');
    inside(() => socket.destroy());
  },
  'while a name is looked up': (socket, port, inside) => {
    socket.connect(port, 'localhost');
    inside(() => socket.destroy());
  },
  'at once, with a handle': (socket, port, inside) => {
    socket.connect(port, '127.0.0.1');
    void (socket as unknown as { _handle: unknown })._handle;
    inside(() => socket.destroy());
  },
  'with an error': (socket, port, inside) => {
    socket.connect(port, '127.0.0.1');
    inside(() => socket.destroy(new Error('enough')));
  },
  'before connect()': (socket, _port, inside) => inside(() => socket.destroy()),
  'in the next tick': (socket, port, inside) => {
    socket.connect(port, '127.0.0.1');
    inside(() => process.nextTick(() => socket.destroy()));
  },
};
type Run = (what: () => void) => void;

for (const [when, end] of Object.entries(endings)) {
  sameAsNode(t, `the context of 'close' of a socket destroyed ${when}`, async ({ net, log }) => {
    const storage = new AsyncLocalStorage<string>();
    const server = createServer((peer) => quiet(peer).resume());
    const port = await listen(server);
    const socket = new net.Socket();
    storage.run('listens', () => {
      for (const event of ['error', 'close'])
        socket.on(event, () => log(event, storage.getStore()));
    });
    const closed = closing(socket);
    storage.run('connects', () => end(socket, port, (what) => storage.run('destroys', what)));
    await closed;
    await closeServer(server);
  });
}
