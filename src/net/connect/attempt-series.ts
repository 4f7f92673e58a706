/** Connecting to one of several addresses ("happy eyeballs"). */
import { clearTimeout, setTimeout } from 'node:timers';
import type { ErrorName } from '../../port/contract';
import { Attempt, immediateErrors } from './attempt';
import type { Destination } from './attempt';
import type { Dial } from './dial';
import { connectAggregateError, connectionTimeout } from '../node/errors';
import type { PendingConnect } from '../socket/link';

/** Tries addresses in turn, the next when one fails or takes too long. */
export function dialInTurn(dial: Dial, destinations: readonly Destination[]): void {
  dial.socket.autoSelectFamilyAttemptedAddresses = [];
  const series = new AttemptSeries(dial, destinations);
  dial.series = series;
  series.next();
}

/** The attempts of one dial to several addresses. */
class AttemptSeries implements PendingConnect {
  readonly #dial: Dial;
  readonly #destinations: readonly Destination[];
  readonly #errors: Error[] = [];
  #tried = 0;
  #underWay: Attempt | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(dial: Dial, destinations: readonly Destination[]) {
    this.#dial = dial;
    this.#destinations = destinations;
  }

  /** Starts the next attempt; destroys the socket when there is none. */
  next(): void {
    clearTimeout(this.#timer);
    const { socket } = this.#dial;
    if (socket._aborted) return;
    const destination = this.#destinations[this.#tried++];
    if (destination === undefined) {
      socket.destroy(
        this.#errors.length === 0 ? connectionTimeout() : connectAggregateError(this.#errors),
      );
      return;
    }
    this.#try(destination);
  }

  /** The attempt under way ends with the socket, and says so. */
  cancelled(): void {
    clearTimeout(this.#timer);
    const attempt = this.#underWay;
    this.#underWay = null;
    if (attempt !== null) this.#reportFailure(attempt, 'ECANCELED');
  }

  #try(destination: Destination): void {
    const { socket, settings } = this.#dial;
    const { address, family } = destination;
    if (this.#tried > 1) this.#dial.renew();
    const attempt = new Attempt(
      this.#dial,
      destination,
      (error) => this.#settled(attempt, error),
      false,
    );
    const failure = this.#dial.start(attempt);
    if (failure !== null) {
      if (failure.attempted) this.#note(address);
      this.#errors.push(failure.error);
      const isBind = (failure.error as NodeJS.ErrnoException).syscall === 'bind';
      if (!isBind) {
        socket.emit('connectionAttemptFailed', address, settings.port, family, failure.error);
      }
      if (socket.connecting) this.next();
      return;
    }
    if (!this.#dial.isCurrent) return;
    this.#underWay = attempt;
    this.#note(address);
    if (this.#tried < this.#destinations.length) {
      this.#timer = setTimeout(() => this.#timedOut(attempt), settings.attemptTimeout);
    }
  }

  #note(address: string): void {
    const { socket, settings } = this.#dial;
    socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${settings.port}`);
  }

  #settled(attempt: Attempt, name: ErrorName | null): void {
    clearTimeout(this.#timer);
    this.#underWay = null;
    if (name === null) {
      this.#dial.succeed(attempt);
      return;
    }
    this.#reportFailure(attempt, name);
    this.#dial.drop(attempt);
    if (this.#dial.isCurrent) this.next();
  }

  #reportFailure(attempt: Attempt, name: ErrorName): void {
    const { socket, settings } = this.#dial;
    const { address, family } = attempt.destination;
    const isImmediate = process.platform !== 'win32' && immediateErrors.has(name);
    const error = isImmediate
      ? this.#dial.immediateError(attempt, name)
      : this.#dial.attemptError(attempt, name);
    this.#errors.push(error);
    socket.emit('connectionAttemptFailed', address, settings.port, family, error);
  }

  #timedOut(attempt: Attempt): void {
    if (!this.#dial.isCurrent) return;
    this.#underWay = null;
    const { socket, settings } = this.#dial;
    const { address, family } = attempt.destination;
    socket.emit('connectionAttemptTimeout', address, settings.port, family);
    this.#errors.push(this.#dial.attemptError(attempt, 'ETIMEDOUT'));
    this.#dial.drop(attempt);
    if (this.#dial.isCurrent) this.next();
  }
}
