// Client programs on the core, against real servers; each runs twice, once without us, and has to
// come to the same errors.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { clients } from './clients.mjs';
import { nodeBinary } from '../../scripts/node-versions.mjs';
import { Daemon } from './daemons/daemon.mjs';
import { didAtLeast } from './on-core.mjs';
import { folder, root, within } from './program.mjs';
import { missing, Report } from './report.mjs';

const clientMs = 90_000;

/** Runs one to its end; what it has told. */
async function runClient(name, daemon, { node, preload }) {
  const child = fork(
    join(folder, 'client.mjs'),
    [`./clients/${name}.mjs`, JSON.stringify(daemon?.place ?? {})],
    {
      cwd: root,
      execPath: node,
      execArgv: preload.flatMap((each) => ['--import', each]),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const told = { passed: [], failed: [], recorded: [], stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text) => (told.stderr += text));
  child.on('message', async (message) => {
    if (message.order) {
      await (message.order === 'stop' ? daemon.stop() : daemon.start());
      child.send('done');
    } else if (message.passed) told.passed.push(message.passed);
    else if (message.failed) told.failed.push(message);
    else if (message.recorded) told.recorded.push(message);
    else told.engine = message;
  });
  try {
    [told.code] = await within(clientMs, 'the client ends', once(child, 'close'));
  } catch (error) {
    told.failed.push({ failed: 'ends', why: `${error.message}\n${told.stderr}` });
  } finally {
    kill();
    process.off('exit', kill);
  }
  return told;
}

/** Of a client that connects. */
const connected = { connect: 1, bytesReceived: 1, bytesSent: 1 };

function isOnCore({ engine }, least = connected) {
  const { backend, stats } = engine ?? {};
  assert.match(backend, /^(?:epoll|io_uring)$/);
  didAtLeast(stats, least);
}

/** As what `--control` also fails at is nothing to compare with, that fails first. */
async function compare(name, daemon, { node, control, platform }, least) {
  const report = new Report(`${name}, ${platform}`, clientMs);
  const plain = await runClient(name, daemon, { node, preload: [] });
  for (const { failed, why } of plain.failed) report.fail(`${failed}, on node:net`, why);
  if (daemon?.isRunning === false) await daemon.start();
  const ours = control
    ? plain
    : await runClient(name, daemon, { node, preload: ['iocp-net/register'] });
  ours.passed.forEach(() => report.pass());
  for (const { failed, why } of ours.failed) report.fail(failed, why);
  await report.check('ends well', () =>
    assert.deepEqual([ours.code, ours.stderr], [plain.code, plain.stderr]),
  );
  if (!control) {
    await report.check('has the errors of node:net', () =>
      assert.deepEqual(ours.recorded, plain.recorded),
    );
    await report.check('is on the core', () => isOnCore(ours, least));
  }
  report.print();
}

/** With a newer Node, where the client needs one. */
function withNode(how, major) {
  if (major === undefined || how.isNodeNamed) return how;
  return { ...how, node: nodeBinary('linux', major), platform: `${how.platform}, Node ${major}` };
}

/** @param {object} how  which Node, `control`, `isWanted` by name */
export async function runClients(how) {
  for (const { daemon: title, spec, names, major, least } of clients) {
    const wanted = names.filter(how.isWanted);
    if (wanted.length === 0) continue;
    if (title === undefined) {
      for (const name of wanted) await compare(name, undefined, withNode(how, major), least);
      continue;
    }
    if (spec.server === undefined) {
      for (const name of wanted) missing(`${name}, ${how.platform}`, `${title} is not installed`);
      continue;
    }
    const daemon = await Daemon.start(spec);
    try {
      for (const name of wanted) await compare(name, daemon, how);
    } finally {
      await daemon.remove();
    }
  }
}
