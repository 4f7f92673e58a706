// Starts a program with iocp-net/register under it, and talks with it through control.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

export const folder = dirname(fileURLToPath(import.meta.url));
export const root = dirname(dirname(folder));

const startMs = 60_000;
const stopMs = 15_000;

/** Children that must not outlive us. */
const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Fails with `what` when `promise` takes longer. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Our end of control.mjs. */
class Control {
  printed = '';
  #socket;
  #server;
  #next = 1;
  #asked = new Map();
  #listening = Promise.withResolvers?.() ?? withResolvers();

  static async open() {
    const control = new Control();
    control.#server = createServer((socket) => control.#accept(socket)).listen(0, '127.0.0.1');
    await once(control.#server, 'listening');
    return control;
  }

  get port() {
    return this.#server.address().port;
  }

  /** The port in the first line that ends with one. */
  get listening() {
    return this.#listening.promise;
  }

  async ask(question) {
    const id = this.#next++;
    const answer = withResolvers();
    this.#asked.set(id, answer.resolve);
    this.#socket.write(`${JSON.stringify({ id, ask: question })}\n`);
    return within(startMs, `the answer to '${question}'`, answer.promise);
  }

  close() {
    this.#server.close();
    this.#socket?.destroy();
  }

  #accept(socket) {
    this.#socket = socket;
    socket.on('error', () => {}); // the program's end is told by its exit code
    createInterface({ input: socket }).on('line', (line) => this.#hear(JSON.parse(line)));
  }

  #hear({ printed, id, answer }) {
    if (printed === undefined) {
      this.#asked.get(id)?.(answer);
      this.#asked.delete(id);
      return;
    }
    this.printed += printed;
    const port = /:(\d+)\/?\n/.exec(this.printed)?.[1];
    if (port !== undefined) this.#listening.resolve(Number(port));
  }
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

function spawnHere({ node = process.execPath, args, env }) {
  const child = spawn(node, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return {
    ended: once(child, 'close').then(([code, signal]) => {
      children.delete(child);
      return { code: code ?? signal, stderr };
    }),
    kill: () => child.kill('SIGKILL'),
    pid: child.pid,
  };
}

function spawnInWindows(windows, { node, args, env }) {
  return {
    ended: windows.run({ node, args, env, timeout: 240 }),
    kill: () => {}, // the session's end takes it
  };
}

/**
 * Resolves when the program has said where it listens.
 *
 * @param {object} options
 * @param {string} options.file
 * @param {object} [options.env]
 * @param {string[]} [options.preload]  modules to import first
 * @param {string} [options.node]  which Node: its path, in Windows its version
 * @param {object} [options.windows]  an open Windows session, to run it there
 */
export async function startProgram({
  file,
  env = {},
  preload = ['iocp-net/register'],
  node,
  windows,
}) {
  const control = await Control.open();
  const imports = ['./test/programs/control.mjs', ...preload].flatMap((each) => ['--import', each]);
  const command = {
    node,
    args: [...imports, file],
    env: { PORT: '0', ...env, IOCP_NET_TEST_CONTROL: String(control.port) },
  };
  const { ended, kill, pid } = windows ? spawnInWindows(windows, command) : spawnHere(command);
  const died = ended.then(({ code, stderr }) => {
    throw new Error(`the program has ended with ${code}: ${stderr}`);
  });
  died.catch(() => {});
  try {
    const ready = Promise.race([control.listening, died]);
    const port = await within(startMs, 'the program listens', ready);
    return new Program(control, { ended, kill, pid }, port);
  } catch (error) {
    kill();
    control.close();
    throw error;
  }
}

class Program {
  #control;
  #kill;

  constructor(control, { ended, kill, pid }, port) {
    this.#control = control;
    this.#kill = kill;
    this.ended = ended;
    this.port = port;
    /** Of a program that runs natively. */
    this.pid = pid;
  }

  get printed() {
    return this.#control.printed;
  }

  /** `{ backend, stats, rss, resources }` of the program, now. */
  state() {
    return this.#control.ask('state');
  }

  /** As SIGTERM: with all connections closed it has to end by itself, and well. */
  async stop() {
    try {
      await this.#control.ask('stop');
      const { code, stderr } = await within(stopMs, 'the program ends', this.ended).catch(
        async (error) => {
          const { stats, resources } = await this.state();
          const left = { ...stats, ports: undefined, resources };
          throw new Error(`${error.message}: ${inspect(left)}`);
        },
      );
      if (code !== 0) throw new Error(`the program ended with ${code}: ${stderr}`);
      return stderr;
    } finally {
      this.kill();
    }
  }

  kill() {
    this.#kill();
    this.#control.close();
  }
}
