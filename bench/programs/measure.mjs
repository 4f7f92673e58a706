// One load on one program, and what it cost the program.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root, startProgram, within } from '../../test/programs/program.mjs';
import { output } from '../children.mjs';
import { wrk } from '../tools.mjs';
import { processorTime } from './processor-time.mjs';

const hook = 'iocp-net/register';
const lateSeconds = 30;

async function runWrk(port, pid, { warm, seconds }) {
  // It knows whole seconds only, and no warm-up.
  const command = (time) => [
    ...[wrk, '-t', '1', '-c', '64', '-d', String(Math.max(1, Math.round(time)))],
    `http://127.0.0.1:${port}/`,
  ];
  await output(command(warm), lateSeconds);
  const before = processorTime(pid);
  const text = await output(command(seconds), lateSeconds);
  const after = processorTime(pid);
  const bad = /Socket errors:.*|Non-2xx.*/.exec(text);
  if (bad) throw new Error(`wrk: ${bad[0]}`);
  const operations = Number(/(\d+) requests in/.exec(text)[1]);
  const rate = Number(/Requests\/sec: +([\d.]+)/.exec(text)[1]);
  return { operations, rate, before, after };
}

/** Runs load.mjs; `pid` is whose time counts, the load's own where nothing is said. */
async function runLoad(load, place, { isOurs, node, pid, warm, seconds }) {
  const times = JSON.stringify({ warm, seconds });
  const child = fork(join(import.meta.dirname, 'load.mjs'), [load, JSON.stringify(place), times], {
    cwd: root,
    execPath: node,
    execArgv: isOurs ? ['--import', hook] : [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const told = {};
  child.on('message', ({ at, ...rest }) => {
    told[at] = { ...rest, time: processorTime(pid ?? child.pid) };
    if (at === 'end') kill();
  });
  try {
    await within(lateSeconds * 1000, `the load '${load}'`, once(child, 'close'));
  } finally {
    kill();
    process.off('exit', kill);
  }
  if (!told.end) throw new Error(`the load '${load}' has ended: ${stderr}`);
  const { operations, seconds: took, backend } = told.end;
  const rate = operations / took;
  return { operations, rate, before: told.begin.time, after: told.end.time, backend };
}

function costs({ operations, rate, before, after }) {
  const micros = (part) => ((after[part] - before[part]) * 1e6) / operations;
  return { operations, rate, cpu: micros('all'), cpuMain: micros('main') };
}

/** What would be measured as ours has to be. */
function insist(backend) {
  if (backend !== 'io_uring') throw new Error(`ours ran on '${backend}'`);
}

async function startServer({ server }, isOurs, node) {
  const env = await server.env?.();
  return startProgram({ file: server.file, env, node, preload: isOurs ? [hook] : [] });
}

async function measureServer(program, { load }, { isOurs, ...settings }) {
  const { pid, port } = program;
  const run =
    load === 'wrk'
      ? await runWrk(port, pid, settings)
      : await runLoad(load, { port }, { ...settings, pid, isOurs: false });
  if (isOurs) insist((await program.state()).backend);
  return costs(run);
}

/**
 * One round: each arm in a process of its own. Servers start together and wait for their turn.
 *
 * @param {[name: string, isOurs: boolean][]} arms  in the order in which they have their turn
 */
export async function playRound(workload, arms, { daemon, ...settings }) {
  const runs = {};
  if (daemon) {
    for (const [name, isOurs] of arms) {
      const run = await runLoad(
        workload.load,
        { port: daemon.place.port },
        { ...settings, isOurs },
      );
      if (isOurs) insist(run.backend);
      runs[name] = costs(run);
    }
    return runs;
  }
  const started = await Promise.allSettled(
    arms.map(([, isOurs]) => startServer(workload, isOurs, settings.node)),
  );
  try {
    for (const [at, [name, isOurs]] of arms.entries()) {
      const { value: program, reason } = started[at];
      if (reason) throw reason;
      runs[name] = await measureServer(program, workload, { ...settings, isOurs });
    }
  } finally {
    for (const { value: program } of started) program?.kill();
  }
  return runs;
}
