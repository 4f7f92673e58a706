/** Sockets that are destroyed while they are told of an attempt to connect. */
import t from 'tap';
import { createServer } from 'node:net';
import type * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import { closing, closeServer, listen, quiet } from '../support/sockets';
import type { Net } from '../support/sockets';

/** Nobody listens on the first; the second answers. */
const found = ['127.0.0.3', '127.0.0.1'].map((address) => ({ address, family: 4 }));

const watched = [
  ...['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout'],
  ...['connect', 'ready', 'error', 'close'],
];

type GiveUp = (socket: nodeNet.Socket, controller: AbortController) => void;

const waysOut: Record<string, GiveUp> = {
  destroyed: (socket) => socket.destroy(),
  'destroyed with an error': (socket) => socket.destroy(new Error('enough')),
  aborted: (_socket, controller) => controller.abort(),
  reset: (socket) => socket.resetAndDestroy(),
};

/** Who is away for so long finds the attempt's time over before the system's answer. */
const block = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
};

interface Case {
  event: string;
  several: boolean;
  /** Asks for the handle before: it then ends with the socket. */
  shown: boolean;
}

function connectTo(net: Net, port: number, { event, several }: Case, signal: AbortSignal) {
  return net.connect({
    port,
    host: 'example.test',
    signal,
    autoSelectFamily: several,
    autoSelectFamilyAttemptTimeout: event === 'connectionAttemptTimeout' ? 20 : 60_000,
    lookup: (_host: string, _options: object, callback: (...args: unknown[]) => void) =>
      // Next in the event loop are timers, then what the system says.
      setImmediate(callback, null, ...(several ? [found] : [found[0]?.address, 4])),
  } as nodeNet.NetConnectOpts);
}

for (const event of watched.slice(0, 4)) {
  for (const several of [false, true]) {
    if (!several && event === 'connectionAttemptTimeout') continue;
    for (const shown of [false, true]) {
      for (const [how, giveUp] of Object.entries(waysOut)) {
        const kind = `${several ? 'one of several' : 'one'}${shown ? ', with a handle' : ''}`;
        // Destroyed there, Node calls a handle that is gone.
        if (event === 'connectionAttempt') continue;
        sameAsNode(t, `${how} in '${event}' of ${kind}`, async ({ net, log }) => {
          const server = createServer((peer) => quiet(peer).resume());
          const port = await listen(server);
          const controller = new AbortController();
          const socket = connectTo(net, port, { event, several, shown }, controller.signal);
          for (const name of watched) {
            socket.on(name, (what: unknown) => log(name, what instanceof Error && what.name));
          }
          const isTimeout = event === 'connectionAttemptTimeout';
          if (isTimeout) socket.on('connectionAttempt', () => process.nextTick(block));
          if (shown) log(Boolean((socket as unknown as { _handle: unknown })._handle));
          const closed = closing(socket);
          socket.once(event, () => giveUp(socket, controller));
          await closed;
          log(socket.destroyed, socket.connecting);
          await closeServer(server);
        });
      }
    }
  }
}
