/** What `listen()` makes of its arguments. */
import { mkdtempSync, rmSync } from 'node:fs';
import type * as nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { Scenario } from '../support/compare';
import { closeServer, quiet } from '../support/sockets';
import { holdsForBoth, outcome } from './check';
import { anyObject, anyValue, mostly, numberText, someOf } from './values';

// Strings that are no number are paths, of sockets that are made here.
const folder = mkdtempSync(join(tmpdir(), 'iocp-net-'));
process.chdir(folder);
t.teardown(() => {
  process.chdir(tmpdir());
  rmSync(folder, { recursive: true, force: true });
});

/** Few ports that can be had, because others might have them. */
const isFreeOrNone = (value: unknown): boolean => {
  if (typeof value === 'symbol') return true;
  const isNumeric = typeof value === 'number' || typeof value === 'string';
  const port = isNumeric ? Number(value) : NaN;
  return !(port > 0 && port < 65536 && Number.isInteger(port)) || port === 16;
};

const port = fc
  .oneof({ weight: 3, arbitrary: fc.constantFrom<unknown>(0, '0', 0, undefined, null) }, anyValue)
  .filter(isFreeOrNone);
/** Without names, which would have to be looked up. */
const host = fc.oneof(
  fc.constantFrom<unknown>('127.0.0.1', '::1', '', '0x7f.1', '127.1', '::ffff:127.0.0.1'),
  fc.constantFrom<unknown>(0, 1, true, false, null, undefined, 1n, Symbol('host'), NaN),
  anyObject,
);
const flag = mostly(true, false);
/** What cannot be a number throws when Node has bound already, and leaves the server half open. */
const backlog = mostly(511, 0, 1, undefined).filter((value) => {
  try {
    return Number.isInteger(~~(value as number));
  } catch {
    return false;
  }
});
const path = fc.oneof(
  fc.constantFrom('here', './here', 'none/there', '', '.', 'é'),
  numberText.filter((text) => !text.includes('\0')),
  fc.constantFrom<unknown>(0, 1, true, false, null, undefined, 1n, Symbol('path'), NaN),
  anyObject,
);

const options = someOf({
  port,
  host,
  path,
  backlog,
  exclusive: flag,
  ipv6Only: flag,
  reusePort: mostly(false, undefined),
  readableAll: flag,
  writableAll: flag,
  signal: mostly(undefined, new AbortController().signal),
  fd: mostly(-1, undefined).filter((value) => typeof value !== 'number' || !(value >= 0)),
});

/** Stands for the listener that notes that it was called. */
const CALLBACK = Object.freeze({ callback: true });
const last = fc.constantFrom<unknown>(CALLBACK, undefined, null, 5, '127.0.0.1');

/** A function at the end would be called. */
const isData = (args: readonly unknown[]): boolean => typeof args.at(-1) !== 'function';

const forms = fc.oneof(
  fc.tuple(options, last),
  fc.tuple(
    options.filter((given) => given.port === undefined),
    last,
  ),
  fc.tuple(port),
  fc.tuple(port, last),
  fc.tuple(port, host, last),
  fc.tuple(port, host, backlog, last),
  fc.tuple(path, backlog, last),
  fc.tuple(),
);

function addressOf(server: nodeNet.Server): unknown {
  const address = server.address();
  if (address === null || typeof address === 'string') return address;
  return { ...address, port: address.port === 16 ? 16 : address.port > 0 };
}

async function listenOnce({ net, log, watch }: Scenario, args: readonly unknown[]): Promise<void> {
  const server = quiet(net.createServer());
  watch('server', server, ['listening', 'error', 'close']);
  const over = new Promise((resolve) => {
    server.once('listening', resolve).once('error', resolve);
    setTimeout(resolve, 100).unref();
  });
  const called = (...what: unknown[]): void => log('called', what, addressOf(server));
  const given = args.map((value) => (value === CALLBACK ? called : value));
  const answer = outcome(() => server.listen(...(given as [])), new Map([[server, 'the server']]));
  log(answer, server.listening);
  // Nothing comes where it was refused at once.
  if ((answer as unknown[])[0] === 'answer') await over;
  else await new Promise(setImmediate);
  log(server.listening, addressOf(server), server.listenerCount('listening'));
  await closeServer(server);
}

holdsForBoth(
  t,
  'the arguments of listen()',
  (forms as fc.Arbitrary<unknown[]>).filter(isData),
  listenOnce,
  [
    [{ path: 'here', backlog: {} }, CALLBACK],
    [0, '127.0.0.1', '7'],
    [{ port: 0, host: '127.0.0.1', ipv6Only: true }, CALLBACK],
  ],
);
