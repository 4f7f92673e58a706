// One load on one program, and what it cost the program.
import { startProgram } from '../../test/programs/program.mjs';
import { output } from '../children.mjs';
import { wrk } from '../tools.mjs';
import { LoadProcess } from './load-process.mjs';
import { processorTime } from './processor-time.mjs';

const hook = 'iocp-net/register';
const lateSeconds = 30;
/** Connections of wrk, where nothing else is asked for. */
const wrkConnections = 64;

/** It knows whole seconds only. */
async function runWrk(port, pid, connections, seconds) {
  const time = Math.max(1, Math.round(seconds));
  const before = processorTime(pid);
  const text = await output(
    [
      ...[wrk, '-t', '1', '-c', String(connections), '-d', String(time)],
      `http://127.0.0.1:${port}/`,
    ],
    time + lateSeconds,
  );
  const after = processorTime(pid);
  const bad = /Socket errors:.*|Non-2xx.*/.exec(text);
  if (bad) throw new Error(`wrk: ${bad[0]}`);
  const operations = Number(/(\d+) requests in/.exec(text)[1]);
  const rate = Number(/Requests\/sec: +([\d.]+)/.exec(text)[1]);
  return { operations, rate, before, after };
}

function costs({ operations, rate, before, after }) {
  const micros = (part) => ((after[part] - before[part]) * 1e6) / operations;
  return { operations, rate, cpu: micros('all'), cpuMain: micros('main') };
}

/** What would be measured as ours has to be. */
function insist(backend) {
  if (backend === undefined || backend === 'node') throw new Error(`ours ran on '${backend}'`);
}

/** A server of test/programs, and a load on it that is Node's own. */
class ServerSide {
  #program;
  #load;
  #isOurs;
  #connections;

  static async start({ server, load }, { isOurs, node, lanes }) {
    const side = new ServerSide();
    side.#isOurs = isOurs;
    side.#connections = lanes ?? wrkConnections;
    const env = await server.env?.();
    side.#program = await startProgram({
      ...{ file: server.file, env, node },
      preload: isOurs ? [hook] : [],
    });
    if (load === 'wrk') return side;
    try {
      const { port } = side.#program;
      side.#load = await LoadProcess.start(load, { port }, { isOurs: false, node, lanes });
    } catch (error) {
      side.stop();
      throw error;
    }
    return side;
  }

  async run(seconds) {
    const { pid, port } = this.#program;
    const run = this.#load
      ? await this.#load.run(seconds, pid)
      : await runWrk(port, pid, this.#connections, seconds);
    if (this.#isOurs) insist((await this.#program.state()).backend);
    return costs(run);
  }

  stop() {
    this.#load?.stop();
    this.#program.kill();
  }
}

/** A driver that asks a server which is no Node: the load is the program. */
class DriverSide {
  #load;
  #isOurs;

  static async start({ load }, { isOurs, node, lanes, daemon }) {
    const side = new DriverSide();
    side.#isOurs = isOurs;
    side.#load = await LoadProcess.start(load, daemon.place, { isOurs, node, lanes });
    return side;
  }

  async run(seconds) {
    const run = await this.#load.run(seconds, this.#load.pid);
    if (this.#isOurs) insist(run.backend);
    return costs(run);
  }

  stop() {
    this.#load.stop();
  }
}

/** One arm in a process of its own; `lanes` is how much is under way, if not what the load says. */
export const startSide = (workload, settings) =>
  (settings.daemon ? DriverSide : ServerSide).start(workload, settings);
