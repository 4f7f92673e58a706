/** The endpoints that processes have opened: which there are, and what they say. */
import { lstatSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { defaultFolder, defaultPath, PIPE_FOLDER, readName } from '../endpoint/endpoint-path';
import type { EndpointSnapshot } from '../endpoint/snapshot';

const ANSWER_MS = 3000;
/** No honest answer is longer. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

export interface FoundEndpoint {
  readonly pid: number;
  readonly thread: number;
  readonly path: string;
}

/** Another's folder under our name would tell us what he likes. */
function isOwn(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, or Wine, which lists no pipes
  }
}

/** Those in a folder, or in the default place. Some may be left over from processes that are gone. */
export function listEndpoints(folder = defaultFolder()): FoundEndpoint[] {
  if (folder !== null && !isOwn(folder)) return [];
  return namesIn(folder ?? PIPE_FOLDER).flatMap((name) => {
    const found = readName(name);
    if (found === null) return [];
    return [{ ...found, path: folder === null ? PIPE_FOLDER + name : join(folder, name) }];
  });
}

export const pathOfProcess = (pid: number): string => defaultPath(pid);

/** A connection to one endpoint, over which it can be asked again and again. */
export class EndpointClient {
  readonly #socket;
  #received = '';
  #waiting: { resolve(line: string): void; reject(error: Error): void } | null = null;
  #end: Error | null = null;

  constructor(path: string) {
    this.#socket = createConnection({ path });
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#stop(new Error(`${path} does not answer (${error.code ?? error.message})`)),
    );
    this.#socket.on('close', () => this.#stop(new Error('the process has ended')));
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\n');
    if (end < 0) {
      if (this.#received.length > LONGEST_ANSWER) this.#socket.destroy();
      return;
    }
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 1);
    this.#waiting?.resolve(line);
    this.#waiting = null;
  }

  #stop(error: Error): void {
    this.#end ??= error;
    this.#waiting?.reject(this.#end);
    this.#waiting = null;
  }

  /** Rejects when the process has ended, is not ours to ask, or does not answer within 3 s. */
  async ask(): Promise<EndpointSnapshot> {
    if (this.#end !== null) throw this.#end;
    const line = new Promise<string>((resolve, reject) => (this.#waiting = { resolve, reject }));
    const late = setTimeout(
      () => this.#stop(new Error(`no answer within ${ANSWER_MS / 1000} s`)),
      ANSWER_MS,
    );
    try {
      this.#socket.write('stats\n');
      return JSON.parse(await line) as EndpointSnapshot;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Error('what answers there is no endpoint', { cause: error });
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** What it says, once. */
export async function askOnce(path: string): Promise<EndpointSnapshot> {
  const client = new EndpointClient(path);
  try {
    return await client.ask();
  } finally {
    client.close();
  }
}
