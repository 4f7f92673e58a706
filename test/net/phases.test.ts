/**
 * In which phase of the event loop a socket's news comes, against setImmediate(), a timer and what
 * libuv's poll finds: what is done in each phase, from each phase.
 */
import t from 'tap';
import type * as nodeNet from 'node:net';
import { stat } from 'node:fs';
import { engine } from 'iocp-net/engine';
import { sameAsNode } from '../support/compare';
import { onWindows } from '../support/local';
import { openPolled } from '../support/polled';
import { connectedPair, quiet } from '../support/sockets';

if (onWindows) t.pass('closing takes another way there');

/** Each of the others is done, or due, by then. */
const COMPUTED_MS = 5;
const OVER_MS = 200;

// It would look at what arrives meanwhile.
engine.configure({ helper: 'never' });

type Phase = (run: () => void) => void;

const phases: Record<string, Phase> = {
  timer: (run) => setTimeout(run, 5),
  immediate: (run) => setImmediate(run),
  pool: (run) => stat(__filename, run),
  'closing of a socket': (run) => {
    // Of Node's own in both runs.
    const { Socket } = require('node:net') as typeof nodeNet; // eslint-disable-line @typescript-eslint/no-require-imports
    new Socket().once('close', run).destroy();
  },
};

const actions: Record<string, (socket: nodeNet.Socket) => void> = {
  'end()': (socket) => socket.once('finish', () => socket.emit('note', 'finish')).end(),
  'destroy()': (socket) => socket.destroy(),
  'destroy(error)': (socket) => socket.destroy(new Error('enough')),
  'resetAndDestroy()': (socket) => socket.resetAndDestroy(),
  'end() and destroySoon()': (socket) => {
    socket.end('x').destroySoon();
  },
  'write()': (socket) => void socket.write('x', () => socket.emit('note', 'written')),
  'write() after the end': (socket) => {
    socket.end();
    socket.write('x', () => socket.emit('note', 'refused'));
  },
};

function compute(): void {
  const until = performance.now() + COMPUTED_MS;
  while (performance.now() < until);
}

// On Windows a handle of libuv's that reads closes when its read has come back, in whichever round.
for (const [from, phase] of onWindows ? [] : Object.entries(phases)) {
  for (const [what, act] of Object.entries(actions)) {
    sameAsNode(t, `${what} in the phase: ${from}`, async ({ net, log }) => {
      const polled = await openPolled();
      const { client, peer, close } = await connectedPair(net);
      quiet(client);
      quiet(peer);
      client.on('note', (note) => log(note)).on('close', () => log('close'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      phase(() => {
        polled.next(() => log('polled'));
        setTimeout(() => log('timer'), 0);
        setImmediate(() => {
          log('immediate');
          setImmediate(() => log('second immediate'));
        });
        act(client);
        compute();
      });
      await new Promise((resolve) => setTimeout(resolve, OVER_MS));
      await Promise.all([close(), polled.close()]);
    });
  }
}

// What arrived before the closing phase is told in the next round, behind what was closed in it.
if (!onWindows) {
  sameAsNode(t, 'both ends of a connection close, and the server', async ({ net, log }) => {
    let round = 0;
    const note = (...what: unknown[]): void => log(round, ...what);
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as nodeNet.AddressInfo;
    const over = new Promise<void>((resolve) => {
      server.on('connection', (peer) => {
        note('connection');
        peer.on('end', () => note('peer end')).on('close', () => note('peer close'));
        peer.on('close', () => resolve());
        peer.end();
        server.close(() => {
          note('server close');
          setImmediate(() => note('immediate of server close'));
        });
      });
    });
    const client = net.connect(port, '127.0.0.1', () => note('connect'));
    client.on('end', () => note('end')).on('finish', () => note('finish'));
    client.on('close', () => note('close'));
    let going = true;
    const next = (): void => {
      round++;
      if (going) setImmediate(next);
    };
    next();
    await over;
    going = false;
  });
}
