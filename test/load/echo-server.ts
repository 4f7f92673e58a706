/** The server of the echo test: sends everything back, checks it, and keeps an account of each. */
import { createHash } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { type Account, HEADER_BYTES, type Plan, planOf } from './echo-plan';
import { Random } from './random';
import type { Net } from './settings';
import { firstWrongByte } from './stream-bytes';

const PAUSE_CHANCE = 0.03;
const LONGEST_PAUSE_MS = 25;

class ServedConnection {
  readonly account: Account = {
    id: -1,
    bytes: 0,
    digest: '',
    ended: false,
    error: null,
    fault: null,
  };
  readonly #socket: Socket;
  readonly #runSeed: number;
  readonly #digest = createHash('sha1');
  #header = Buffer.alloc(0);
  #plan: Plan | null = null;
  #random = new Random(0);
  #ended = false;

  constructor(socket: Socket, runSeed: number) {
    this.#socket = socket;
    this.#runSeed = runSeed;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => {
      this.account.ended = true;
      socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.account.error ??= error.code ?? error.message;
    });
    socket.on('close', () => {
      this.account.digest = this.#digest.digest('hex');
    });
  }

  #receive(chunk: Buffer): void {
    if (this.account.ended) this.account.fault ??= 'data after the end';
    let plan = this.#plan;
    if (plan === null) {
      this.#header = Buffer.concat([this.#header, chunk]);
      if (this.#header.length < HEADER_BYTES) return;
      chunk = this.#header.subarray(HEADER_BYTES);
      plan = this.#begin(this.#header.readUInt32BE());
      if (chunk.length === 0) return;
    }
    this.#check(plan, chunk);
    this.#digest.update(chunk);
    this.account.bytes += chunk.length;
    this.#sendBack(plan, chunk);
  }

  #begin(id: number): Plan {
    this.account.id = id;
    this.#random = new Random(this.#runSeed, id, 2);
    return (this.#plan = planOf(this.#runSeed, id));
  }

  #check(plan: Plan, chunk: Buffer): void {
    const wrong = firstWrongByte(plan.start, this.account.bytes, chunk);
    if (wrong >= 0) this.account.fault ??= `the server received a wrong byte at ${wrong}`;
  }

  #sendBack(plan: Plan, chunk: Buffer): void {
    const socket = this.#socket;
    const isCut = this.account.bytes >= plan.cut;
    if (plan.kind === 'server-destroys' && isCut) {
      socket.destroy();
      return;
    }
    if (!this.#ended) {
      const hasRoom = socket.write(chunk);
      if (plan.kind === 'server-ends-first' && isCut) {
        this.#ended = true;
        socket.end();
      } else if (!hasRoom) {
        socket.pause();
        socket.once('drain', () => socket.resume());
        return;
      }
    }
    if (!this.#random.chance(PAUSE_CHANCE)) return;
    socket.pause();
    setTimeout(() => socket.resume(), this.#random.integer(0, LONGEST_PAUSE_MS));
  }
}

export interface EchoServer {
  server: Server;
  accounts: Account[];
  sockets: Set<Socket>;
}

export function createEchoServer(net: Net, runSeed: number): EchoServer {
  const accounts: Account[] = [];
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const served = new ServedConnection(socket, runSeed);
    socket.once('close', () => {
      sockets.delete(socket);
      accounts.push(served.account);
    });
  });
  return { server, accounts, sockets };
}
