/** One client of the echo test. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Account, BREAKS, HEADER_BYTES, type Plan, planOf } from './echo-plan';
import { Random } from './random';
import type { Net } from './settings';
import { eventOrClose, LOOPBACK, pause } from './sockets';
import { bytesAt, firstWrongByte } from './stream-bytes';

const LONGEST_STRING = 64 * 1024;
const LONGEST_PAUSE_MS = 25;

export class EchoClient {
  readonly account: Account;
  /** What it is at, for the report of a run that gets stuck. */
  stage = 'not started';
  received = 0;
  readonly plan: Plan;
  readonly #random: Random;
  readonly #digest = createHash('sha1');
  #socket: Socket | null = null;

  constructor(
    readonly runSeed: number,
    readonly id: number,
  ) {
    this.plan = planOf(runSeed, id);
    this.#random = new Random(runSeed, id, 1);
    this.account = { id, bytes: 0, digest: '', ended: false, error: null, fault: null };
  }

  async run(net: Net, port: number): Promise<Account> {
    await pause(this.plan.startsAfterMs);
    this.stage = 'connecting';
    const socket = net.connect({ port, host: LOOPBACK, allowHalfOpen: true });
    this.#socket = socket;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.account.error ??= error.code ?? error.message;
    });
    socket.on('data', (chunk: Buffer) => this.#receive(socket, chunk));
    socket.on('end', () => {
      this.account.ended = true;
    });
    await eventOrClose(socket, 'connect');
    await this.#send(socket);
    this.stage += ', waiting for the close';
    await closed;
    this.stage = 'closed';
    this.account.digest = this.#digest.digest('hex');
    this.#judge();
    return this.account;
  }

  describe(): string {
    const { kind, total, cut } = this.plan;
    const { bytes, ended, error } = this.account;
    const socket = this.#socket;
    const state =
      socket === null
        ? ''
        : `; ${socket.readyState}, ${socket.isPaused() ? 'paused' : 'flowing'}, ` +
          `${socket.writableLength} to write, ${socket.bytesWritten} written, ` +
          `from port ${socket.localPort ?? '?'}`;
    return (
      `#${this.id} ${kind}: ${this.stage}; sent ${bytes} of ${total}, received ${this.received}, ` +
      `cut ${cut}, ended ${ended}, error ${error}${state}`
    );
  }

  async #send(socket: Socket): Promise<void> {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(this.id);
    socket.write(header);
    const { plan } = this;
    for (const size of plan.messages) {
      this.stage = `sending ${size} bytes`;
      if (socket.destroyed || !socket.writable) return;
      const hasRoom = this.#write(socket, size);
      if (this.#breaksOff(socket)) return;
      if (!hasRoom && this.#random.chance(0.8)) await eventOrClose(socket, 'drain');
      if (this.#random.chance(0.3)) await pause(this.#random.integer(0, LONGEST_PAUSE_MS));
    }
    this.stage = 'ended';
    socket.end();
  }

  /** One message: whole, in corked pieces, or as a string. */
  #write(socket: Socket, size: number): boolean {
    const bytes = bytesAt(this.plan.start, this.account.bytes, size);
    this.account.bytes += size;
    this.#digest.update(bytes);
    if (size <= LONGEST_STRING && this.#random.chance(0.2)) {
      return socket.write(bytes.toString('latin1'), 'latin1');
    }
    if (!this.#random.chance(0.3)) return socket.write(bytes);
    socket.cork();
    let hasRoom = true;
    for (let at = 0; at < size;) {
      const length = this.#random.magnitude(1, size);
      hasRoom = socket.write(bytes.subarray(at, at + length));
      at += length;
    }
    socket.uncork();
    return hasRoom;
  }

  #breaksOff(socket: Socket): boolean {
    const { kind, cut } = this.plan;
    if (this.account.bytes < cut) return false;
    if (kind === 'client-destroys') socket.destroy();
    else if (kind === 'client-resets') socket.resetAndDestroy();
    else return false;
    return true;
  }

  #receive(socket: Socket, chunk: Buffer): void {
    if (this.account.ended) this.account.fault ??= 'data after the end';
    const wrong = firstWrongByte(this.plan.start, this.received, chunk);
    if (wrong >= 0) this.account.fault ??= `the client received a wrong byte at ${wrong}`;
    this.received += chunk.length;
    if (!this.#random.chance(0.03)) return;
    socket.pause();
    setTimeout(() => socket.resume(), this.#random.integer(0, LONGEST_PAUSE_MS));
  }

  #judge(): void {
    const { account, plan, received } = this;
    const fail = (text: string): void => void (account.fault ??= text);
    const mayBreak = plan.kind === 'server-destroys';
    if (account.error !== null && !(mayBreak && BREAKS.has(account.error))) {
      fail(`the client got ${account.error}`);
    }
    if (plan.kind === 'polite' && received !== plan.total) fail(`echoed ${received}`);
    if (plan.kind === 'server-ends-first' && received < plan.cut) fail(`echoed ${received}`);
    const isWhole = plan.kind === 'polite' || plan.kind === 'server-ends-first';
    if (isWhole && !account.ended) fail('the client saw no end');
    if (isWhole && account.bytes !== plan.total) fail('the client could not send all');
  }
}
