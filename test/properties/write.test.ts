/** What `write()`, `end()` and `cork()` make of their arguments, and what arrives of it. */
import { once } from 'node:events';
import type * as nodeNet from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { describe } from '../support/compare';
import type { Scenario } from '../support/compare';
import { closing, closed, connectedPair } from '../support/sockets';
import type { Net, PairOptions } from '../support/sockets';
import { holdsForBoth, outcome } from './check';
import { anyValue } from './values';

// Without 'buffer', after which Node's stream waits for ever for what it could not take.
const encodings = [
  ...['utf8', 'UTF-8', 'latin1', 'binary', 'ascii', 'hex', 'base64', 'base64url'],
  ...['ucs2', 'utf16le', 'UCS-2', 'bufer', undefined, null],
];

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', 'x', 'é', '\ud800', '\udc00x', '日本語', 'zz', 'abc', 'QUJD=', '\0'),
  // About the bounds at which a text or a buffer goes another way.
  fc.constantFrom(500, 512, 513, 4096, 4097, 16_384, 16_385, 70_000).map((n) => 'é'.repeat(n)),
);

/** A function would be taken for a callback, and called. */
const noFunction = anyValue.filter((value) => typeof value !== 'function');

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint16Array({ maxLength: 20 }),
  fc.float64Array({ maxLength: 4 }),
  fc.uint8Array({ minLength: 4, maxLength: 20 }).map((array) => array.subarray(1, 3)),
  fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
  fc.uint8Array({ maxLength: 20 }).map((array) => new DataView(array.buffer, 0)),
  fc
    .uint8Array({ maxLength: 20 })
    .map((array) => new Uint8Array(new SharedArrayBuffer(8)).fill(array.length)),
  fc.constantFrom(511, 513, 4095, 4097, 16_384, 16_385, 70_000).map((n) => Buffer.alloc(n, 7)),
  fc.constantFrom<unknown>(new ArrayBuffer(4), new SharedArrayBuffer(4)),
);

const chunk = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: bytes },
  { weight: 2, arbitrary: noFunction },
);

/** Stands for a callback that notes what it is called with. */
const CALLBACK = 'callback';

type Step = readonly [method: string, args: readonly unknown[]];

/** Where writes leave together, Node 22 ends the process over half a byte: by an assertion of its own. */
function isWholeBytes([value, encoding]: readonly unknown[]): boolean {
  return encoding !== 'hex' || typeof value !== 'string' || value.length % 2 === 0;
}

const write = fc.tuple(
  fc.constantFrom('write', 'write', 'write', 'end'),
  fc
    .oneof(
      fc.tuple(chunk),
      fc.tuple(chunk, fc.constant(CALLBACK)),
      fc.tuple(
        chunk,
        fc.oneof(fc.constantFrom(...encodings), noFunction),
        fc.oneof(fc.constant(CALLBACK), noFunction),
      ),
      fc.tuple(fc.constant(CALLBACK)),
    )
    .filter(isWholeBytes),
);
const other = fc.tuple(fc.constantFrom('cork', 'uncork', 'settle'), fc.constant([]));
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: write }, { weight: 1, arbitrary: other }), {
  minLength: 1,
  maxLength: 6,
});

/**
 * What was written is with the system, or failed; what is corked stays. An ended socket is closed:
 * the other side ends, too, and between the two it depends on the moment how a write is refused.
 */
async function settled(socket: nodeNet.Socket): Promise<void> {
  const isBusy = (): boolean => socket.writableEnded || socket.writableLength > 0;
  const isStuck = socket.pending || (socket.writableCorked > 0 && !socket.writableEnded);
  while (!isStuck && !socket.destroyed && isBusy()) await new Promise(setImmediate);
  await new Promise(setImmediate);
}

/**
 * Takes the steps, and notes what each answers. The callbacks are noted apart: in which turn of the
 * loop one comes is the system's business.
 */
async function writeAll(
  socket: nodeNet.Socket,
  log: Scenario['log'],
  all: readonly Step[],
): Promise<unknown[]> {
  const callbacks: unknown[] = [];
  for (const [at, [name, given]] of all.entries()) {
    if (name === 'settle') {
      await settled(socket);
      continue;
    }
    const called = (...what: unknown[]): void => void callbacks.push([at, ...what.map(describe)]);
    const members = socket as unknown as Record<string, (...args: unknown[]) => unknown>;
    const withCallback = given.map((value) => (value === CALLBACK ? called : value));
    const names = new Map<unknown, string>([[socket, 'the socket']]);
    log(
      at,
      name,
      outcome(() => members[name]!(...withCallback), names),
    );
  }
  return callbacks;
}

/** The writes of one side: how they end, and what the other side got. */
async function transfer(
  { net, log, watch }: Scenario,
  options: PairOptions,
  all: readonly Step[],
): Promise<unknown> {
  const { client, peer, close } = await connectedPair(net, options);
  const received: Buffer[] = [];
  peer.on('data', (data) => received.push(data as Buffer));
  const ended = once(peer, 'close');
  watch('client', client, ['error', 'finish', 'end', 'close']);
  const callbacks = await writeAll(client, log, all);
  while (client.writableCorked > 0) client.uncork();
  const over = closing(client);
  if (!client.writableEnded) client.end();
  await Promise.all([over, ended]);
  await close();
  return [
    callbacks,
    Buffer.concat(received).toString('hex'),
    client.bytesWritten,
    client.destroyed,
  ];
}

holdsForBoth(
  t,
  'what is written to a connected socket',
  fc.tuple(
    fc.record({ decodeStrings: fc.boolean(), allowHalfOpen: fc.boolean() }, { requiredKeys: [] }),
    steps,
  ),
  (scenario, [options, all]) => transfer(scenario, { client: options }, all),
  [[{}, [['write', ['abc', 'hex', CALLBACK]]]]],
);

async function unconnected(net: Net, phase: string): Promise<nodeNet.Socket> {
  if (phase === 'fresh') return new net.Socket();
  const { client, close } = await connectedPair(net);
  client.on('error', () => {});
  const over = closing(client);
  client.destroy();
  await over;
  await close();
  return client;
}

holdsForBoth(
  t,
  'what is written to a socket that is not connected',
  fc.tuple(fc.constantFrom('fresh', 'destroyed'), steps),
  async ({ net, log, watch }, [phase, all]) => {
    const socket = await unconnected(net, phase);
    watch('socket', socket, ['error', 'finish', 'close']);
    const callbacks = await writeAll(socket, log, all);
    await new Promise(setImmediate);
    log(socket.bytesWritten, socket.writableLength, socket.pending);
    if (!socket.closed) await closed(socket);
    return callbacks;
  },
);
