/** Runs one scenario on a module of Node's and on ours: what it reports must be the same. */
import * as nodeDgram from 'node:dgram';
import * as nodeNet from 'node:net';
import * as iocpNet from 'iocp-net';
import * as iocpDgram from 'iocp-net/dgram';
import type { Test } from 'tap';
import type { Net } from './sockets';

interface Notes {
  /** Notes what happens, in order. */
  log: (...what: unknown[]) => void;
  /** Notes the events of an emitter, in order. Emitters are not ordered against each other. */
  watch: (name: string, emitter: NodeJS.EventEmitter, events: readonly string[]) => void;
}

export type Scenario = Notes & { net: Net };
export type DatagramScenario = Notes & { dgram: typeof nodeDgram };

type Run<Given = { net: Net }> = (scenario: Notes & Given) => Promise<unknown>;

/** An error as far as it is the same every time. */
export function describe(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const own = Object.entries(value).map(([key, each]) => [key, describe(each)]);
  return { name: value.name, message: value.message, text: String(value), own };
}

interface Report {
  result: unknown;
  log: unknown[];
  events: Record<string, unknown[]>;
}

export async function record<Given>(given: Given, run: Run<Given>): Promise<Report> {
  const report: Report = { result: undefined, log: [], events: {} };
  const log = (...what: unknown[]): void => void report.log.push(what.map(describe));
  const watch: Notes['watch'] = (name, emitter, events) => {
    const seen = (report.events[name] ??= []);
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => seen.push([event, ...args.map(describe)]));
    }
  };
  report.result = describe(await run({ ...given, log, watch }));
  return report;
}

/** One subtest. What differs from run to run, such as port numbers, must not be reported. */
export function sameAsNode(t: Test, name: string, run: Run): void {
  t.test(name, async (test) => {
    const expected = await record({ net: nodeNet }, run);
    const actual = await record({ net: iocpNet }, run);
    test.strictSame(actual, expected);
  });
}

/** The same with `node:dgram`. */
export function sameAsNodeDgram(
  t: Test,
  name: string,
  run: Run<{ dgram: typeof nodeDgram }>,
): void {
  t.test(name, async (test) => {
    const expected = await record({ dgram: nodeDgram }, run);
    const actual = await record({ dgram: iocpDgram }, run);
    test.strictSame(actual, expected);
  });
}
