/** The peer of test/net/children/writer.ts, and how that is started. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entryFile, run } from './child';
import { closeServer, listen } from './sockets';
import type { Net } from './sockets';

const program = join(__dirname, '../net/children/writer.js');
const marks = (chunk: Buffer): number => chunk.toString('latin1').split('#').length - 1;
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** What came from the writer. */
class Peer {
  readonly #file: string;
  readonly #server: nodeNet.Server;
  #open = 0;
  #closed = (): void => {};
  received = 0;
  text = '';

  constructor(file: string) {
    this.#file = file;
    this.#note();
    this.#server = nodeNet.createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  listen(): Promise<number> {
    return listen(this.#server);
  }

  /** When all connections are closed: what the writer left has come then. */
  async close(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#closed = resolve));
    await closeServer(this.#server);
  }

  #accept(socket: nodeNet.Socket): void {
    this.#open++;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(socket, chunk));
    socket.on('close', () => {
      if (--this.#open === 0) this.#closed();
    });
  }

  #take(socket: nodeNet.Socket, chunk: Buffer): void {
    const found = marks(chunk);
    if (found > 0) {
      this.received += found;
      this.#note();
    } else {
      const text = chunk.toString('latin1');
      this.text += text;
      if (text.includes('?')) socket.write('r');
      if (text.includes('!')) socket.write(request.repeat(10));
    }
  }

  /** In a file, which the writer can read while its event loop is away. */
  #note(): void {
    writeFileSync(this.#file, String(this.received));
  }
}

export interface Written {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What the writer told, as JSON. */
  told: unknown;
  /** How many marks came. */
  received: number;
  /** What came besides. */
  text: string;
}

/** Plays one case of the writer, on `node:net` or on ours. */
export async function playWriter(net: Net, name: string): Promise<Written> {
  const folder = mkdtempSync(join(tmpdir(), 'write-peer-'));
  const file = join(folder, 'received');
  const peer = new Peer(file);
  const isNode = net.Socket === nodeNet.Socket;
  try {
    const env = {
      WRITER_NET: isNode ? 'node:net' : entryFile('net'),
      WRITER_HTTP: isNode ? 'node:http' : entryFile('http'),
      WRITER_CASE: name,
      WRITER_PORT: String(await peer.listen()),
      WRITER_FILE: file,
    };
    const ended = await run(`require(${JSON.stringify(program)})`, 20_000, { env });
    await peer.close();
    const { code, signal, stdout } = ended;
    const told: unknown = stdout === '' ? undefined : JSON.parse(stdout);
    return { code, signal, told, received: peer.received, text: peer.text };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
