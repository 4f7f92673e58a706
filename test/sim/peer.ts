/** The other end of a connection, in the simulated system. It does what it is told. */
import { ByteLog } from './byte-log';
import type { Judge } from './judge';
import type { Peers } from './simulation';
import type { End, Side, Wires } from './wires';

const into = Buffer.alloc(65536);

export class Peer implements End {
  readonly sent = new ByteLog();
  readonly wire: number;
  received = 0;
  hasEnded = false;
  wasCut = false;
  readonly mayLose = false;
  /** It has met the end of what comes, or an error. */
  isDone = false;

  constructor(
    readonly judge: Judge,
    readonly peers: Peers,
    readonly wires: Wires,
    readonly number: number,
    readonly side: Side,
  ) {
    this.wire = peers.wireOf(number);
    wires.connect(this.wire, side, this);
  }

  get isClosed(): boolean {
    return this.wasCut || (this.hasEnded && this.isDone);
  }

  send(bytes: Buffer): void {
    if (this.hasEnded || this.wasCut) return;
    const taken = this.peers.send(this.number, bytes);
    if (typeof taken === 'number') this.sent.append(bytes.subarray(0, taken));
  }

  /** As much as there is, up to so many bytes. */
  receive(most: number): void {
    for (let left = most; left > 0 && !this.isDone && !this.wasCut;) {
      const part = into.subarray(0, Math.min(left, into.length));
      const result = this.peers.receive(this.number, part);
      if (result === null) return;
      if (typeof result === 'string') this.isDone = true;
      else if (result === 0) this.#meetEnd();
      else this.#take(part.subarray(0, result));
      left -= Math.max(1, Number(result) || 1);
    }
  }

  #take(bytes: Buffer): void {
    const from = this.wires.other(this.wire, this.side);
    const isRight = from?.sent.holds(bytes, this.received) === true;
    if (!isRight) this.judge.violate('a peer receives what was not written', `wire ${this.wire}`);
    this.received += bytes.length;
  }

  #meetEnd(): void {
    this.isDone = true;
    if (this.peers.wasReset(this.wire)) return;
    const from = this.wires.other(this.wire, this.side);
    // Nobody may have got it: a connection that was turned away, or closed before 'connect'.
    if (from === undefined || from.mayLose) return;
    const where = `wire ${this.wire}`;
    if (!from.hasEnded) this.judge.violate('a peer meets an end that nobody has made', where);
    if (this.received !== from.sent.length) {
      this.judge.violate('a peer meets the end before the last byte', where);
    }
  }

  end(): void {
    if (this.hasEnded || this.wasCut) return;
    this.hasEnded = true;
    this.peers.end(this.number);
  }

  close(resets: boolean): void {
    if (this.wasCut) return;
    this.wasCut = true;
    this.hasEnded = true;
    this.peers.close(this.number, resets);
  }

  /** Reads everything, ends, and goes when the other end has ended, too. */
  finish(): void {
    this.receive(Infinity);
    this.end();
    if (this.isDone) this.close(false);
  }
}
