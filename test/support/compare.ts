/** Runs one scenario on `node:net` and on ours: what it reports must be the same. */
import * as nodeNet from 'node:net';
import iocpNet = require('iocp-net');
import type { Test } from 'tap';
import type { Net } from './sockets';

export interface Scenario {
  net: Net;
  /** Notes what happens, in order. */
  log: (...what: unknown[]) => void;
  /** Notes the events of an emitter, in order. */
  watch: (name: string, emitter: NodeJS.EventEmitter, events: readonly string[]) => void;
}

type Run = (scenario: Scenario) => Promise<unknown>;

/** An error as far as it is the same every time. */
export function describe(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const own = Object.entries(value).map(([key, each]) => [key, describe(each)]);
  return { name: value.name, message: value.message, text: String(value), own };
}

async function record(net: Net, run: Run): Promise<unknown[]> {
  const entries: unknown[] = [];
  const log = (...what: unknown[]): void => void entries.push(what.map(describe));
  const watch: Scenario['watch'] = (name, emitter, events) => {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => log(`${name} ${event}`, ...args));
    }
  };
  entries.push(describe(await run({ net, log, watch })));
  return entries;
}

/** One subtest. What differs from run to run, such as port numbers, must not be reported. */
export function sameAsNode(t: Test, name: string, run: Run): void {
  t.test(name, async (test) => {
    const expected = await record(nodeNet, run);
    const actual = await record(iocpNet, run);
    test.strictSame(actual, expected);
  });
}
