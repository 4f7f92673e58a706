// A process of load.mjs, and what it costs one that is measured while it runs.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root, within } from '../../test/programs/program.mjs';
import { processorTime } from './processor-time.mjs';

const hook = 'iocp-net/register';
const lateSeconds = 30;

export class LoadProcess {
  #name;
  #child;
  #stderr = '';
  #gone;
  #kill = () => this.#child.kill('SIGKILL');
  #read = () => undefined;
  #told = {};
  /** For whom waits: the word awaited, and what then. */
  #awaited;

  /** Resolves when its connections are open. `lanes` is undefined for what the load says itself. */
  static async start(name, place, { isOurs, node, lanes }) {
    const load = new LoadProcess();
    load.#name = name;
    const words = [name, JSON.stringify(place), ...(lanes === undefined ? [] : [String(lanes)])];
    load.#child = fork(join(import.meta.dirname, 'load.mjs'), words, {
      cwd: root,
      execPath: node,
      execArgv: isOurs ? ['--import', hook] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    load.#watch();
    try {
      await load.#hear('open');
    } catch (error) {
      load.stop();
      throw error;
    }
    return load;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Some seconds of it; `pid` is whose processor time counts. */
  async run(seconds, pid) {
    this.#read = () => processorTime(pid);
    this.#told = {};
    this.#child.send({ run: seconds });
    await this.#hear('idle', seconds);
    const { begin, end } = this.#told;
    const { operations, seconds: took, backend } = end;
    return { operations, rate: operations / took, before: begin.time, after: end.time, backend };
  }

  stop() {
    this.#kill();
    process.off('exit', this.#kill);
  }

  #watch() {
    process.once('exit', this.#kill);
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#stderr += text));
    this.#child.on('message', ({ at, ...rest }) => {
      this.#told[at] = { ...rest, time: this.#read() };
      if (at === this.#awaited?.word) this.#awaited.then();
    });
    this.#gone = once(this.#child, 'close').then(() => {
      throw new Error(`the load '${this.#name}' has ended: ${this.#stderr}`);
    });
    this.#gone.catch(() => {}); // of no interest once it is stopped
  }

  async #hear(word, seconds = 0) {
    const heard = new Promise((then) => (this.#awaited = { word, then }));
    const limit = (lateSeconds + seconds) * 1000;
    await within(limit, `the load '${this.#name}'`, Promise.race([heard, this.#gone]));
  }
}
