// Runs the tests of Node's own suite with `net` swapped for ours, and compares with
// test/conformance/expectations.json.
//
//   npm run conformance -- --node-tests DIR [options] [test…]
//
// DIR is the `test` folder of a Node checkout, or `debian`. See docs/conformance.md. Ends with
// "N passed, N failed"; a difference in either direction counts as failed.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, execPath } from 'node:process';
import { parseArgs } from 'node:util';
import { exceptionFor, isExpected } from '../test/conformance/expectations.mjs';
import { emptyFolder, nativeHost, wineHost } from '../test/conformance/host.mjs';
import {
  moduleOf,
  runsAlone,
  setNames,
  testsOf,
  testsOfList,
  wishesOf,
} from '../test/conformance/selection.mjs';
import { root } from './gyp.mjs';
import { nodeTests } from './node-tests.mjs';

const usage = `npm run conformance -- --node-tests DIR [options] [test…]

  --node-tests DIR  the test folder of a Node checkout; 'debian': that of Node 20, from Debian's
                    source package, or nothing is run where that cannot be had
  --set NAME        ${setNames.join(', ')} (default net); instead of naming tests. With dgram
                    that module is replaced, also in tests that are named
  --list FILE       instead: tests named in a file, one a line
  --match TEXT      only tests whose name contains it
  --node BIN        the node to test with (default this one); with --wine a version or a node.exe
  --wine            in node.exe under Wine
  --register        through iocp-net/register, under http, https, http2 and tls too
  --net MODULE      another module in place of net; 'node:net' runs the tests as they are
  --trace           also report tests that passed on handles of Node's own net
  --jobs N          tests at a time (default 2, with --wine 1)
  --timeout S       seconds for each test (default 60, with --wine 90)
  --retry N         run a failed test again (default 0, with --wine 1); then it counts as flaky
  --no-control      do not run what failed with node:net as well
  --logs DIR        keep what failed tests printed
  --quiet           print differences only`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    'node-tests': { type: 'string' },
    set: { type: 'string', default: 'net' },
    list: { type: 'string', multiple: true },
    match: { type: 'string', default: '' },
    node: { type: 'string' },
    wine: { type: 'boolean', default: false },
    register: { type: 'boolean', default: false },
    net: { type: 'string' },
    trace: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    timeout: { type: 'string' },
    retry: { type: 'string' },
    control: { type: 'boolean', default: true },
    logs: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help || !options['node-tests'] || !setNames.includes(options.set)) {
  console.log(usage);
  process.exit(options.help ? 0 : 2);
}

options.net ??= join(root, `dist/entry/${moduleOf(options.set)}.cjs`);
const isControl = options.net === 'node:net' && !options.register;
const mode = options.register ? 'register' : 'swap';
/** @returns {string} */
function folderOfTests() {
  if (options['node-tests'] !== 'debian') return realpathSync(options['node-tests']);
  try {
    return realpathSync(nodeTests());
  } catch (error) {
    const [reason] = String(error.message).split('\n');
    console.log(`1..1\nok 1 - Node's own tests # SKIP they cannot be had here: ${reason}`);
    process.exit();
  }
}

const testsFolder = folderOfTests();
const retries = Number(options.retry ?? (options.wine ? 1 : 0));
const timeout = Number(options.timeout ?? (options.wine ? 90 : 60));

/**
 * Some tests want 'localhost' to have an address of each family. Where /etc/hosts gives it only
 * one, and we may mount, this program goes on in a namespace of its own with another /etc/hosts.
 */
function giveLocalhostBothFamilies() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return;
  const hosts = readFileSync('/etc/hosts', 'utf8');
  if (/^::1\s.*\blocalhost\b/m.test(hosts) || process.env.CONFORMANCE_HOSTS) return;
  const file = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts');
  writeFileSync(file, `${hosts}\n::1 localhost\n`);
  const script = 'mount --bind "$CONFORMANCE_HOSTS" /etc/hosts && exec "$@"';
  const command = ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', execPath];
  const { status } = spawnSync('unshare', [...command, ...argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, CONFORMANCE_HOSTS: file },
  });
  rmSync(join(file, '..'), { recursive: true });
  process.exit(status ?? 1);
}

/** Passing on node:net would prove nothing: our core has to run here. */
async function backendOf(host) {
  if (isControl) return 'node';
  const engine = host.shown(join(root, 'dist/entry/engine.cjs'));
  const program = `require(${JSON.stringify(engine)}).engine.backend`;
  const { stdout, stderr } = await host.run({ args: ['-p', program], env: {}, timeout });
  if (/^(?:iocp|epoll|io_uring)$/.test(stdout.trim())) return stdout.trim();
  throw new Error(`conformance: the core does not run here: ${stdout}${stderr}`);
}

function chosenTests() {
  const listed = [...positionals, ...(options.list ?? []).flatMap(testsOfList)];
  const names = listed.length > 0 ? listed : testsOf(options.set, testsFolder);
  return [...new Set(names)].filter((name) => name.includes(options.match));
}

/** The environment of every test, without what belongs to this run of npm. */
function environment(host, net) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:NODE_|TEST_|npm_|CONFORMANCE_)/.test(name),
  );
  const preload = host.shown(join(root, 'test/conformance/preload.cjs'));
  return {
    ...(host.platform === 'wine' ? {} : Object.fromEntries(kept)),
    NODE_OPTIONS: `--require "${preload.replaceAll('\\', '\\\\')}"`,
    ...(options.trace && { CONFORMANCE_TRACE: '1' }),
    ...(net === 'node:net' ? {} : settingOf(host, net)),
  };
}

function settingOf(host, net) {
  if (!options.register) {
    const CONFORMANCE_MODULE = moduleOf(options.set);
    return { CONFORMANCE_NET: host.shown(resolve(net)), CONFORMANCE_MODULE };
  }
  return { CONFORMANCE_REGISTER: host.shown(join(root, 'dist/entry/register.cjs')) };
}

/** Lines that the preload wrote: whether net was swapped, and handles of Node's by type. */
function readNotes(file) {
  const notes = { swapped: false, handles: {} };
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  for (const line of text.split('\n')) {
    const [what, type, count] = line.split(' ');
    if (what === 'swapped') notes.swapped = true;
    if (what === 'handle') notes.handles[type] = (notes.handles[type] ?? 0) + Number(count);
  }
  return notes;
}

function outcomeOf({ code, signal, timedOut, stdout }, notes, file) {
  if (timedOut) return { outcome: 'timeout' };
  if (signal !== null || code > 128) return { outcome: 'crash' };
  if (code !== 0) return { outcome: 'fail' };
  // Tests may also skip a part of themselves and say it in the same words.
  const skipped = /^1\.\.0 # Skipped: (.*)/m.exec(stdout)?.[1];
  if (skipped !== undefined && !readFileSync(file, 'utf8').includes('printSkipMessage')) {
    return { outcome: 'skip', why: skipped };
  }
  const handles = Object.entries(notes.handles).map(([type, count]) => `${count} ${type}`);
  if (options.trace && handles.length > 0) return { outcome: 'native', why: handles.join(', ') };
  return { outcome: 'pass' };
}

/** The line that says most: an error, else the last one. */
function gist({ stdout, stderr }) {
  const lines = `${stdout}\n${stderr}`.split(/\r?\n/).map((line) => line.trim());
  const said = lines.filter((line) => line !== '');
  const error = said.find((line) =>
    /Error\b.*[:\]]|Mismatched .* calls|Assertion .*failed/.test(line),
  );
  return (error ?? said.at(-1) ?? 'said nothing').slice(0, 160);
}

async function runOnce(host, name, slot, net) {
  const file = join(testsFolder, name);
  if (!existsSync(file)) return { outcome: 'skip', why: 'not in this folder' };
  const notesFile = join(scratch, `notes-${slot}`);
  rmSync(notesFile, { force: true });
  const { flags, env } = wishesOf(file);
  const result = await host.run({
    args: [...flags, host.shown(file)],
    env: {
      ...environment(host, net),
      ...env,
      CONFORMANCE_NOTES: host.shown(notesFile),
      NODE_TEST_DIR: host.shown(emptyFolder(scratch, slot)),
      NODE_COMMON_PORT: `${12400 + 200 * slot}`,
      TEST_THREAD_ID: `${slot}`,
      ...(!runsAlone(name) && { TEST_PARALLEL: '1' }),
    },
    timeout,
  });
  const notes = readNotes(notesFile);
  const { outcome, why } = outcomeOf(result, notes, file);
  const failed = ['fail', 'crash', 'timeout'].includes(outcome);
  return { outcome, why: failed ? gist(result) : why, swapped: notes.swapped, failed, result };
}

function keepLog(name, { outcome, result }) {
  mkdirSync(options.logs, { recursive: true });
  const { code, signal, stdout, stderr } = result;
  const text = `${outcome}, exit ${code ?? signal}\n--- stderr\n${stderr}\n--- stdout\n${stdout}`;
  writeFileSync(join(options.logs, `${name.replaceAll('/', '_')}.log`), text);
}

async function runTest(host, name, slot) {
  let run = await runOnce(host, name, slot, options.net);
  const exception = isControl ? undefined : exceptionFor(name, mode, host.platform, nodeMajor);
  const isSurprise = () => run.failed && !isExpected(run.outcome, exception);
  for (let again = 0; isSurprise() && again < retries; again++) {
    const next = await runOnce(host, name, slot, options.net);
    if (!next.failed) run = { ...next, flaky: true };
  }
  if (run.failed && options.logs) keepLog(name, run);
  if (isSurprise() && options.control && !isControl) {
    const control = await runOnce(host, name, slot, 'node:net');
    if (control.failed) run = { ...run, outcome: 'broken' };
  }
  const expected = isExpected(run.outcome, exception);
  return { name, ...run, exception, expected };
}

function print({ name, outcome, why, expected, exception, flaky }) {
  if (options.quiet && expected && !flaky) return;
  const verdict = expected ? 'ok' : 'not ok';
  const notes = [
    flaky && 'only when run again',
    why,
    exception && `expected: ${exception.expect}. ${exception.reason}`,
  ].filter(Boolean);
  console.log(`${verdict} - ${outcome} ${name}${notes.map((note) => `  # ${note}`).join('')}`);
}

async function runAll(host, names) {
  const results = [];
  const together = names.filter((name) => !runsAlone(name));
  const alone = names.filter(runsAlone);
  const worker = async (queue, slot) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await runTest(host, name, slot);
      print(result);
      results.push(result);
    }
  };
  const jobs = Number(options.jobs ?? host.jobs);
  await Promise.all(Array.from({ length: jobs }, (_, slot) => worker(together, slot)));
  await worker(alone, 0);
  return results;
}

function summarize(results) {
  const counts = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const text = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`# Node ${nodeVersion} on ${backend}, ${results.length} tests: ${text.join(', ')}`);
  const named = (what, chosen) => {
    if (chosen.length > 0) console.log(`# ${what}: ${chosen.map(({ name }) => name).join(' ')}`);
  };
  named(
    'only when run again',
    results.filter(({ flaky }) => flaky),
  );
  named(
    'fail with node:net too',
    results.filter(({ outcome }) => outcome === 'broken'),
  );
  if (!isControl) {
    const passed = results.filter(({ outcome }) => outcome === 'pass');
    named(
      'never asked for net themselves',
      passed.filter(({ swapped }) => !swapped),
    );
  }
  const failed = results.filter(({ expected }) => !expected).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
}

giveLocalhostBothFamilies();
const scratch = mkdtempSync(join(tmpdir(), 'cf'));
const openHost = options.wine ? wineHost : nativeHost;
const node = options.node ?? (options.wine ? '24' : execPath);
const host = await openHost({ node, scratch, testsFolder });
const { stdout: version } = await host.run({ args: ['-p', 'process.version'], env: {}, timeout });
const nodeVersion = version.trim();
let backend = 'node';
const nodeMajor = Number(/\d+/.exec(nodeVersion));
try {
  backend = await backendOf(host);
  summarize(await runAll(host, chosenTests()));
} finally {
  await host.close();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
