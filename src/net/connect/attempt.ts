/** One attempt to connect a socket to an address. */
import type { AsyncResource } from 'node:async_hooks';
import type { Connection, ConnectionOwner, ErrorName } from '../../port/contract';
import { answerIn } from '../node/async-scopes';
import { answerInNumbers, bothSides } from './connected';
import type { Sides } from './connected';
import type { NetSocket } from '../node/internals';
import { connectStarts } from './perf-entry';

/** A numeric address to connect to. */
export interface Destination {
  address: string;
  family: 4 | 6;
}

export const anyAddress = { 4: '0.0.0.0', 6: '::' } as const;

// What connect() itself says on POSIX, before any packet is sent. Node's message then names the
// local end, and there is no 'connectionAttemptFailed'.
export const immediateErrors: ReadonlySet<ErrorName> = new Set([
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EINVAL',
  'ENETUNREACH',
  'EPERM',
]);

/** What one `connect()` asks for, apart from where to. */
export interface DialSettings {
  port: number;
  localAddress: string | undefined;
  localPort: number | undefined;
  /** Milliseconds after which the next of several addresses is tried. */
  attemptTimeout: number;
}

/** The `connect()` that an attempt is made for. */
interface AttemptedConnect {
  readonly socket: NetSocket;
  readonly settings: DialSettings;
  readonly isCurrent: boolean;
}

/** One connection attempt of a dial. */
export class Attempt implements ConnectionOwner {
  readonly dial: AttemptedConnect;
  readonly destination: Destination;
  /** What the attempt's socket is bound to, where that was asked for. */
  readonly local: { localAddress: string | undefined; localPort: number | undefined };
  readonly startTime = connectStarts();
  /** What its answer is given in. */
  request: AsyncResource | null = null;
  connection: Connection | null = null;
  /** What of the connection is open: those who complete a connect by themselves say it. */
  sides: Sides = bothSides;
  /** The answer to a connect by the handle. */
  readonly completed = answerInNumbers((error, sides) => {
    if (!this.dial.isCurrent) return;
    this.sides = sides;
    this.#settled(error);
  });
  readonly #settled: (error: ErrorName | null) => void;

  get shownAs(): NetSocket {
    return this.dial.socket;
  }

  constructor(
    dial: AttemptedConnect,
    destination: Destination,
    settled: (error: ErrorName | null) => void,
    useLocalAddress = true,
  ) {
    this.dial = dial;
    this.destination = destination;
    this.#settled = settled;
    const { localAddress, localPort } = dial.settings;
    const address = useLocalAddress ? localAddress : undefined;
    const isBound = Boolean(address || localPort);
    this.local = {
      localAddress: isBound ? address || anyAddress[destination.family] : undefined,
      localPort: localPort || undefined,
    };
  }

  onConnect(error: ErrorName | null): void {
    // After destroy() the socket's ClosingOwner has taken over; this is an attempt given up.
    if (this.connection === null || !this.dial.isCurrent || this.request === null) return;
    answerIn(this.request, this.#settled, error);
  }
}
