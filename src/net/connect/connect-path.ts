/** Connecting to a path: a Unix domain socket, or a named pipe on Windows. */
import type { AsyncResource } from 'node:async_hooks';
import type { ConnectionOwner, ErrorName, Transport } from '../../port/contract';
import { answerIn, requestScope } from '../node/async-scopes';
import { answerInNumbers, becomeConnected, bothSides } from './connected';
import type { Sides } from './connected';
import { noAddress } from './dial';
import type { SocketHandle } from '../handle/handle-interface';
import { handleMethods, isReplaced } from '../handle/replaced';
import { endpointError, nameOfNumber } from '../node/errors';
import type { LinkedSocket, PendingConnect, SocketLink } from '../socket/link';
import { pathToUse } from '../path';

/** One `connect()` to a path, from the call until the socket is connected or destroyed. */
export class PathAttempt implements ConnectionOwner, PendingConnect {
  readonly shownAs: LinkedSocket;
  readonly #link: SocketLink;
  readonly #path: string;
  #request: AsyncResource | null = null;

  constructor(socket: LinkedSocket, link: SocketLink, path: string) {
    this.shownAs = socket;
    this.#link = link;
    this.#path = path;
  }

  #isCurrent(): boolean {
    return this.#link.dial === this && this.shownAs.connecting;
  }

  start(transport: Transport): void {
    const socket = this.shownAs;
    const link = this.#link;
    // As Node has it, with a port and a family that are undefined.
    socket.emit('connectionAttempt', this.#path, undefined as never, undefined as never);
    if (!this.#isCurrent()) return;
    const { handle } = link;
    if (handle !== null && isReplaced(handle, handleMethods.connecting)) {
      this.#askHandle(handle);
      return;
    }
    const answer =
      link.connection === null
        ? transport.connectLocal(pathToUse(this.#path), this, link.takeScope())
        : 'EISCONN';
    if (typeof answer === 'string') {
      socket.destroy(endpointError(answer, 'connect', this.#peer(), noAddress));
      return;
    }
    link.applyRef(answer);
    link.connection = answer;
    this.#request = requestScope('PIPECONNECTWRAP', answer);
  }

  /** By the handle's method, whoever it is from. */
  #askHandle(handle: SocketHandle): void {
    const request = {
      address: this.#path,
      oncomplete: answerInNumbers((error, sides) => this.#settled(error, sides)),
    };
    const number = handle.connect(request, this.#path);
    if (!number) return;
    const error = endpointError(nameOfNumber(number), 'connect', this.#peer(), noAddress);
    this.shownAs.destroy(error);
  }

  /** The socket was destroyed while connecting: with one attempt, nothing is said of it. */
  cancelled(): void {}

  onConnect(name: ErrorName | null): void {
    if (this.#request !== null) answerIn(this.#request, this.#settled.bind(this), name, bothSides);
  }

  #settled(name: ErrorName | null, sides: Sides): void {
    if (!this.#isCurrent()) return;
    const socket = this.shownAs;
    if (name === null) {
      becomeConnected(socket, this.#link, sides);
      return;
    }
    const error = endpointError(name, 'connect', this.#peer());
    socket.connecting = false;
    socket.emit(
      'connectionAttemptFailed',
      this.#path,
      undefined as never,
      undefined as never,
      error,
    );
    socket.destroy(error);
  }

  #peer(): { address: string; port: undefined } {
    return { address: this.#path, port: undefined };
  }
}

/** Connects a socket that is prepared for it. */
export function connectToPath(
  transport: Transport,
  socket: LinkedSocket,
  link: SocketLink,
  path: string,
): void {
  const attempt = new PathAttempt(socket, link, path);
  link.dial = attempt;
  attempt.start(transport);
}
