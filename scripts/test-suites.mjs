// The test suites of other people's projects, on node:net and with iocp-net/register under them
// (test/suites): what passes without us has to pass with us.
//
//   npm run test:suites -- --suites DIR [options] [name…]
//
// DIR has the checkouts. See docs/register.md. Ends with a table and "N passed, N failed", of which
// a difference counts as failed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { copyOf, isServedBy, packageOf } from '../test/suites/checkout.mjs';
import { SuiteRun } from '../test/suites/run-suite.mjs';
import { suites } from '../test/suites/suites.mjs';
import { build } from './build.mjs';

const usage = `npm run test:suites -- --suites DIR [options] [name…]

  --suites DIR   has checkouts in folders named ${suites.map(({ name }) => name).join(', ')}
  --node BIN     the node to test with (default this one)
  --timeout S    seconds for each run of a suite (default 1200)
  --copies DIR   keep the copies and their packages there, and use them again
  --logs DIR     keep what the runs printed
  --control      node:net both times: what differs then is not our doing`;

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    suites: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    timeout: { type: 'string', default: '1200' },
    copies: { type: 'string' },
    logs: { type: 'string' },
    control: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
if (options.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `no such suite: ${unknown.join(', ')}\n\n${usage}` : usage);
  process.exit(options.help ? 0 : 2);
}

const node = resolve(options.node);
const version = execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8' }).trim();
const total = { passed: 0, failed: 0, lines: 0 };
const table = [];

async function reasonToSkip({ name, lack }, checkout) {
  if (options.suites === undefined) return 'no checkouts: --suites DIR says where they are';
  if (!existsSync(join(checkout, 'package.json'))) return `no checkout in ${checkout}`;
  const { engines } = packageOf(checkout);
  if (!isServedBy({ engines }, version)) return `${name} needs Node ${engines.node}`;
  return lack?.();
}

/** Passing would prove nothing had no socket been ours. */
function lackOfProof({ connections, backends }) {
  if (options.control) return undefined;
  if (connections === 0) return 'no connection was on the core';
  return backends.has('node') ? 'a process ran on node:net' : undefined;
}

function printNames(what, chosen) {
  for (const { name, before, after, why = '' } of chosen) {
    const [said] = why.split('\n');
    console.log(`  # ${what}: ${name}: ${before} on node:net, ${after} with register. ${said}`);
  }
}

const tableHead = [
  ...['suite', 'Node', 'tests', 'pass', 'skip', 'fail on `node:net` too', 'on `node:net` only'],
  ...['flaky', 'differences', 'on the core'],
];

function addRow(title, { count, differences, flaky, witness }) {
  const { processes, connections, bytes, backends } = witness;
  const megabytes = (bytes / 1e6).toFixed(0);
  table.push([
    ...[title, version.slice(1), count.tests, count.passed, count.skipped],
    ...[count.failOnBoth, count.failOnNodeOnly, flaky.length, differences.length],
    `${connections} connections and ${megabytes} MB in ${processes} processes, ${[...backends]}`,
  ]);
}

function report(title, result, seconds) {
  const { count, differences, flaky, late, witness } = result;
  const complaints = [...late.map((mode) => `${mode}: not within ${options.timeout} s`)];
  const unproved = lackOfProof(witness);
  if (unproved !== undefined) complaints.push(unproved);
  const failed = differences.length + complaints.length;
  total.passed += count.passed;
  total.failed += failed;
  console.log(
    `${failed > 0 ? 'not ok' : 'ok'} ${++total.lines} - ${title}: ${count.passed} passed, ` +
      `${differences.length} differences in ${seconds} s`,
  );
  for (const complaint of complaints) console.log(`  # ${complaint}`);
  printNames('difference', differences);
  printNames('not when run again', flaky);
  addRow(title, result);
}

async function runSuite(suite) {
  const checkout = resolve(options.suites ?? '', suite.name);
  const reason = await reasonToSkip(suite, checkout);
  if (reason !== undefined) {
    console.log(`ok ${++total.lines} - ${suite.name} # SKIP ${reason}`);
    return;
  }
  const started = Date.now();
  const folder = copyOf(suite, checkout, copies, node);
  const how = { ...options, node, timeout: Number(options.timeout), scratch };
  const result = await new SuiteRun(suite, folder, how).compare();
  const seconds = Math.round((Date.now() - started) / 1000);
  report(`${suite.name} ${packageOf(folder).version}`, result, seconds);
}

function fail(suite, error) {
  total.failed++;
  console.log(`not ok ${++total.lines} - ${suite.name}`);
  console.log(String(error.stack).replace(/^/gm, '  # '));
}

function printTable() {
  if (table.length === 0) return;
  for (const row of [tableHead, tableHead.map(() => '---'), ...table]) {
    console.log(`| ${row.join(' | ')} |`);
  }
}

if (options.suites !== undefined) build({});
const scratch = mkdtempSync(join(tmpdir(), 'suites-'));
const copies = resolve(options.copies ?? scratch);
mkdirSync(copies, { recursive: true });
process.once('exit', () => rmSync(scratch, { recursive: true, maxRetries: 5 }));
const wanted = suites.filter(({ name }) => names.length === 0 || names.includes(name));
console.log('TAP version 14');
for (const suite of wanted) await runSuite(suite).catch((error) => fail(suite, error));
console.log(`1..${total.lines}`);
printTable();
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
