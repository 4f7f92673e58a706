/** What every setter makes of its arguments, on a socket in each phase of its life. */
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import type { Scenario } from '../support/compare';
import { closing, closeServer, connectedPair, listen, quiet } from '../support/sockets';
import type { Net } from '../support/sockets';
import { holdsForBoth, outcome } from './check';
import { anyValue, mostly } from './values';

type Call = readonly [name: string, args: readonly unknown[]];

const args = (...values: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown[]> =>
  fc
    .tuple(fc.tuple(...values), fc.nat({ max: values.length }))
    .map(([made, length]) => made.slice(0, length));

const flag = mostly(true, false);
// Long enough that none of them is over while the test looks.
const milliseconds = mostly(0, 60_000, 2 ** 31 - 1, 2 ** 31).filter(
  (value) => typeof value !== 'number' || !(value > 0 && value < 60_000),
);

const setters: Record<string, fc.Arbitrary<unknown[]>> = {
  setNoDelay: args(flag),
  setKeepAlive: fc.oneof(
    args(flag, mostly(0, 1000, 5000), mostly(0, 1000), mostly(0, 3)),
    fc
      .record({
        enable: flag,
        initialDelay: mostly(0, 1000, 5000),
        interval: mostly(1000),
        count: mostly(3),
      })
      .map((options) => [options]),
  ),
  setTimeout: args(
    milliseconds,
    mostly<unknown>(undefined, () => {}),
  ),
  setEncoding: args(mostly('utf8', 'latin1', 'hex', 'base64url', 'UTF-8', 'buffer')),
  setDefaultEncoding: args(mostly('utf8', 'latin1', 'UTF-8', 'buffer')),
  setTypeOfService: args(mostly(0, 16, 255)),
  getTypeOfService: args(),
  ref: args(anyValue),
  unref: args(anyValue),
  pause: args(),
  resume: args(),
  address: args(),
  cork: args(),
  uncork: args(),
};

const calls = fc.array(
  fc
    .constantFrom(...Object.keys(setters))
    .chain((name) => fc.tuple(fc.constant(name), setters[name]!)),
  { minLength: 1, maxLength: 6 },
);

/** Which socket it is: that of `new Socket()`, one that connects, and so on. */
type Maker = (net: Net) => Promise<{ socket: nodeNet.Socket; end: () => Promise<void> }>;

async function destroyed(socket: nodeNet.Socket): Promise<void> {
  const over = closing(quiet(socket));
  socket.destroy();
  await over;
}

const makers: Record<string, Maker> = {
  fresh: async (net) => {
    const socket = new net.Socket();
    return { socket, end: () => destroyed(socket) };
  },
  connecting: async (net) => {
    const server = net.createServer((peer) => quiet(peer).resume());
    const port = await listen(server);
    const socket = net.connect(port, '127.0.0.1');
    const end = async (): Promise<void> => {
      if (socket.connecting) await once(socket, 'connect');
      await destroyed(socket);
      await closeServer(server);
    };
    return { socket, end };
  },
  connected: async (net) => {
    const { client, close } = await connectedPair(net);
    return { socket: client, end: close };
  },
  accepted: async (net) => {
    const { peer, close } = await connectedPair(net);
    return { socket: peer, end: close };
  },
  destroyed: async (net) => {
    const { client, close } = await connectedPair(net);
    const over = closing(client);
    client.destroy();
    await over;
    return { socket: client, end: close };
  },
};

// Not that of the type of service: Node sets it once more when the socket is connected.
const methodsOfHandle = ['setNoDelay', 'setKeepAlive', 'ref', 'unref'];

/** Notes what reaches the handle, which is what the connection is told. */
function spyOn(socket: nodeNet.Socket, log: Scenario['log']): void {
  const { _handle: handle } = socket as unknown as { _handle: Record<string, unknown> | null };
  if (!handle) return;
  for (const name of methodsOfHandle) {
    const own = handle[name] as ((...given: unknown[]) => unknown) | undefined;
    if (own === undefined) continue;
    handle[name] = function (this: unknown, ...given: unknown[]): unknown {
      // Absent and undefined are the same to a handle.
      const length = given.findLastIndex((value) => value !== undefined) + 1;
      log('handle', name, given.slice(0, length));
      return own.apply(this, given);
    };
  }
}

const stateOf = (socket: nodeNet.Socket): unknown => [
  [socket.timeout, socket.readableEncoding, socket.readableFlowing, socket.writableCorked],
  [socket.destroyed, socket.connecting, socket.pending, socket.readyState],
  [socket.eventNames(), socket.listenerCount('timeout'), socket.listenerCount('connect')],
];

async function applyAll(
  { net, log, watch }: Scenario,
  [phase, isSpied, made]: readonly [string, boolean, readonly Call[]],
): Promise<void> {
  const { socket, end } = await makers[phase]!(net);
  watch('socket', socket, ['connect', 'ready', 'timeout', 'error', 'end', 'close']);
  if (isSpied) spyOn(socket, log);
  const names = new Map<unknown, string>([[socket, 'the socket']]);
  for (const [name, given] of made) {
    const members = socket as unknown as Record<
      string,
      ((...all: unknown[]) => unknown) | undefined
    >;
    if (members[name] === undefined) continue;
    log(
      name,
      outcome(
        () => (name === 'address' ? typeof members[name]!() : members[name]!(...given)),
        names,
      ),
    );
  }
  log(stateOf(socket));
  await end();
  log(socket.destroyed, socket.timeout, socket.listenerCount('timeout'));
}

holdsForBoth(
  t,
  'setters in each phase',
  fc.tuple(fc.constantFrom(...Object.keys(makers)), fc.boolean(), calls),
  applyAll,
  [
    // A BigInt is no number of milliseconds, however exactly it could be converted to one.
    ['fresh', false, [['setKeepAlive', [true, 2n ** 64n]]]],
    ['connected', false, [['setKeepAlive', [true, 1n]]]],
    ['connected', false, [['setKeepAlive', [{ enable: true, initialDelay: 0, count: '' }]]]],
    ['connected', false, [['setKeepAlive', [true, 1000, 1000, Symbol.iterator]]]],
  ],
);
