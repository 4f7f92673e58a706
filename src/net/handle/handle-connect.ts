/** A connect by a method of a handle. */
import type { AsyncResource } from 'node:async_hooks';
import type { Connection, ErrorName } from '../../port/contract';
import { answerIn, requestScope } from '../node/async-scopes';
import { statusOf } from '../node/handle-answers';
import type { ConnectRequest, SocketHandle } from './handle-interface';

/** One that was started, until it is answered. */
export class HandleConnect {
  readonly #handle: SocketHandle;
  readonly #request: ConnectRequest;
  readonly #scope: AsyncResource;

  constructor(handle: SocketHandle, request: ConnectRequest, connection: Connection) {
    this.#handle = handle;
    this.#request = request;
    const type = connection.kind === 'tcp' ? 'TCPCONNECTWRAP' : 'PIPECONNECTWRAP';
    this.#scope = requestScope(type, connection);
  }

  answer(error: ErrorName | null): void {
    answerIn(this.#scope, () => this.#complete(error));
  }

  /** The handle is closed; who hears of that hears of this first. */
  cancel(): void {
    this.#complete('ECANCELED');
  }

  #complete(error: ErrorName | null): void {
    this.#request.oncomplete?.(statusOf(error), this.#handle, this.#request, true, true);
  }
}
