/** What `connect()` makes of its arguments, and of what a lookup answers. */
import type * as nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { describe } from '../support/compare';
import type { Scenario } from '../support/compare';
import { closing, closeServer, listen, quiet } from '../support/sockets';
import { holdsForBoth, outcome, withoutInternals } from './check';
import { anyNumber, anyObject, anyValue, mostly, someOf } from './values';

/** Stands for the port of a server that listens. */
const LISTENING = Object.freeze({ listening: true });
/** Stands for the listener that notes that it was called. */
const CALLBACK = Object.freeze({ callback: true });

/** A connection that is not made by then is taken to wait for ever. */
const UNSETTLED_MS = 300;
/** Where the machine is busy, a timer is late and runs before what has come meanwhile. */
const ROUNDS_AT_LEAST = 5;

/** Nothing listens on those that are valid. */
const port = fc
  .oneof({ weight: 2, arbitrary: fc.constant<unknown>(LISTENING) }, anyValue)
  .filter((value) => {
    if (typeof value !== 'number' && typeof value !== 'string') return true;
    return !(Number(value) > 0 && Number(value) < 65536) || [1, 17].includes(Number(value));
  });

const literal = fc.constantFrom<unknown>('127.0.0.1', '::1', '::ffff:127.0.0.1', '127.0.0.2');
const noText = fc.oneof(
  fc.constantFrom<unknown>(0, 1, true, false, null, undefined, 1n, Symbol('host'), NaN),
  anyObject,
);
const flag = mostly(true, false, undefined);

const settings = {
  port,
  localAddress: fc.oneof(literal, fc.constantFrom<unknown>('', 'nowhere', '192.0.2.1'), noText),
  localPort: fc.oneof(
    noText,
    anyNumber.filter((number) => number === 0 || number > 65535),
  ),
  family: mostly<unknown>(0, 4, 6, 'IPv4', 'IPv6'),
  hints: mostly(0),
  autoSelectFamily: flag,
  autoSelectFamilyAttemptTimeout: mostly(10, 250, 1),
  noDelay: flag,
  keepAlive: flag,
  keepAliveInitialDelay: mostly(0, 1000),
  allowHalfOpen: flag,
  readable: flag,
  writable: flag,
  signal: mostly(undefined, new AbortController().signal),
};

/** Whether it can be printed: what cannot is met by the language, before anybody checks it. */
function isPrintable(value: unknown): boolean {
  try {
    return `${value as string}`.length >= 0;
  } catch {
    return false;
  }
}

/** What a lookup answers, at once: an address is never said to be of the other family. */
const entry = fc.oneof(
  fc.constantFrom<{ address: unknown; family: unknown }>(
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
    { address: '::1', family: 6 },
  ),
  fc
    .tuple(fc.oneof(noText, fc.constant('nowhere')).filter(isPrintable), mostly<unknown>(4, 6))
    .map(([address, family]) => ({ address, family })),
  fc
    .tuple(literal, anyValue)
    .filter(([, family]) => family !== 4 && family !== 6 && isPrintable(family))
    .map(([address, family]) => ({ address, family })),
);
const answer = fc.oneof(
  fc.tuple(fc.constant(null), fc.array(fc.oneof(entry, fc.constant(undefined)), { maxLength: 4 })),
  entry.map(({ address, family }) => [null, address, family]),
  fc.tuple(fc.constant(new Error('not found'))),
  fc.tuple(fc.constant(null), anyValue.filter(isPrintable)),
  fc.tuple(anyObject, entry),
);

async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}

async function attempt(
  { net, log }: Scenario,
  args: readonly unknown[],
  found: readonly unknown[] | null,
): Promise<unknown> {
  const server = net.createServer((peer) => quiet(peer).resume());
  const listening = await listen(server, '::');
  const hide = (value: unknown): unknown =>
    inspect(value, { depth: 6 }).replaceAll(String(listening), 'PORT');
  const put = (value: unknown): unknown => {
    if (value === LISTENING) return listening;
    if (value === CALLBACK) return () => log('called');
    if (typeof value !== 'object' || value === null) return value;
    const own = value as { port?: unknown };
    const isPlain = Object.getPrototypeOf(value) === Object.prototype;
    if (!isPlain || Object.getOwnPropertyDescriptor(value, 'port')?.get) return value;
    return own.port === LISTENING ? { ...own, port: listening } : value;
  };
  const lookup = (host: string, asked: object, callback: (...all: unknown[]) => void): void => {
    log('asked', host, asked);
    const given = found ?? [null, '127.0.0.1', 4];
    log(
      'answered',
      outcome(() => callback(...given)),
    );
  };
  const given = args.map(put);
  if (found !== null) (given[0] as { lookup: unknown }).lookup = lookup;
  const events: unknown[] = [];
  let socket: nodeNet.Socket | undefined;
  const made = outcome(() => {
    socket = net.connect(...(given as [never]));
    return [socket.connecting, socket.pending, socket.readyState, socket.timeout];
  });
  log(made);
  if (socket !== undefined) {
    const connecting = socket;
    for (const event of ['lookup', 'connect', 'ready', 'error', 'close']) {
      connecting.on(event, (...what: unknown[]) =>
        events.push([event, ...what.map((each) => hide(describe(withoutInternals(each))))]),
      );
    }
    const over = closing(connecting);
    const isSettled = new Promise((resolve) => {
      connecting.once('ready', resolve).once('close', resolve);
      setTimeout(resolve, UNSETTLED_MS).unref();
    });
    await isSettled;
    await rounds(ROUNDS_AT_LEAST);
    log(
      connecting.connecting,
      connecting.pending,
      connecting.remoteFamily,
      connecting.remoteAddress,
    );
    connecting.destroy();
    await over;
  }
  await closeServer(server);
  return events;
}

const last = fc.constantFrom<unknown>(CALLBACK, undefined, null, 5, 'x');
const somewhere = join(tmpdir(), 'iocp-net-nobody-listens');

holdsForBoth(
  t,
  'the arguments of connect()',
  fc.oneof(
    fc.tuple(
      someOf({ ...settings, host: fc.oneof(literal, noText), lookup: mostly<unknown>(undefined) }),
      last,
    ),
    fc.tuple(
      someOf({
        port,
        path: fc.oneof(fc.constant<unknown>(somewhere), noText),
        timeout: mostly(0, 60_000),
      }),
      last,
    ),
    fc.tuple(
      port.filter((value) => typeof value !== 'string' || Number(value) >= 0),
      fc.oneof(literal, noText),
      last,
    ),
    fc.tuple(anyObject),
    fc.tuple(),
  ) as fc.Arbitrary<unknown[]>,
  (scenario, args) => attempt(scenario, args, null),
  [
    [{ port: LISTENING, localPort: 65536 }, CALLBACK],
    [{ port: LISTENING, host: '127.0.0.1', localPort: 0.5 }],
  ],
);

holdsForBoth(
  t,
  'what a lookup answers',
  fc.tuple(
    someOf({ ...settings, localAddress: fc.constantFrom<unknown>('127.0.0.1', '', undefined) }).map(
      (options) => ({
        ...options,
        port: LISTENING,
        host: 'name.test',
      }),
    ),
    answer as fc.Arbitrary<unknown[]>,
  ),
  (scenario, [options, found]) => attempt(scenario, [options], found),
  [
    // One address, although all were asked for.
    [{ port: LISTENING, host: 'name.test' }, [null, '127.0.0.1', 4]],
    [{ port: LISTENING, host: 'name.test' }, [null, []]],
  ],
);
