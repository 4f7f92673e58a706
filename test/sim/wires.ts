/** Who is at the two ends of each connection. */
import type { ByteLog } from './byte-log.js';

export interface End {
  /** What it has sent: of a socket, what was written. */
  readonly sent: ByteLog;
  /** Bytes that it has received. */
  readonly received: number;
  /** It sends nothing more. */
  readonly hasEnded: boolean;
  /** It was closed in another way than by the ends of both directions. */
  readonly wasCut: boolean;
  /** What it has sent need not all arrive, even where there was no reset. */
  readonly mayLose: boolean;
}

export type Side = 'client' | 'server';

export class Wires {
  readonly #ends = new Map<string, End>();
  /** Clients that were given up before they knew of their connection. */
  abandoned = 0;

  connect(wire: number, side: Side, end: End): void {
    this.#ends.set(`${wire} ${side}`, end);
  }

  /** The other end; undefined where nobody has it yet. */
  other(wire: number, side: Side): End | undefined {
    return this.#ends.get(`${wire} ${side === 'client' ? 'server' : 'client'}`);
  }
}
