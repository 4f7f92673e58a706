/** Processes of our own, each running a program of `children/`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Calls, type Handlers } from './calls';

const PORT_VARIABLE = 'IOCP_NET_LOAD_CONTROL';
const START_MS = 30_000;
const END_MS = 10_000;

/** What a failed test has left: ended with it. */
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class Child {
  /** What it came to; known when the process has ended. */
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #calls: Calls;

  private constructor(child: ChildProcess, calls: Calls) {
    this.#process = child;
    this.#calls = calls;
    this.exit = exitOf(child);
    // The connection may end before the news of the exit comes, or, after a crash, only later.
    void this.exit.then(({ code, signal }) =>
      calls.abandon(new Error(`the child has ended: exit code ${code}, signal ${signal}`)),
    );
  }

  static async start(program: string, env: NodeJS.ProcessEnv = {}): Promise<Child> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = spawn(process.execPath, [join(__dirname, 'children', `${program}.js`)], {
      env: { ...process.env, ...env, [PORT_VARIABLE]: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const late = AbortSignal.timeout(START_MS);
    try {
      const [socket] = (await Promise.race([
        once(server, 'connection', { signal: late }),
        exitOf(child).then(() => Promise.reject(new Error(`${program} ended at once`))),
      ])) as [Socket];
      return new Child(child, new Calls(socket, {}));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      server.close();
    }
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  call<T = void>(name: string, argument?: unknown): Promise<T> {
    return this.#calls.call<T>(name, argument);
  }

  /** Lets it end by itself; kills it where it does not. */
  async end(): Promise<Exit> {
    this.#calls.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), END_MS);
    const exit = await this.exit;
    clearTimeout(timer);
    return exit;
  }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return { code: child.exitCode, signal: child.signalCode };
  }
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

/** In a child: answers the test's calls, and ends when the test does. */
export function answer(handlers: Handlers, ended: () => void = () => process.exit(0)): void {
  const socket = connect({ port: Number(process.env[PORT_VARIABLE]), host: '127.0.0.1' });
  new Calls(socket, handlers);
  socket.once('close', ended);
}
