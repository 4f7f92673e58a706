/** The async resource of a connection. Tools ask it whether it holds the process. */
import { AsyncResource } from 'node:async_hooks';
import type { Connection } from './contract';

export class ConnectionScope extends AsyncResource {
  readonly #connection: Pick<Connection, 'kind' | 'hasRef'>;

  constructor(connection: Pick<Connection, 'kind' | 'hasRef'>, triggerAsyncId?: number) {
    // On no prototype: what others put on Object.prototype is no option.
    const options = { requireManualDestroy: true, triggerAsyncId };
    super(
      connection.kind === 'tcp' ? 'TCPWRAP' : 'PIPEWRAP',
      Object.setPrototypeOf(options, null) as typeof options,
    );
    this.#connection = connection;
  }

  hasRef(): boolean {
    return #connection in this ? this.#connection.hasRef() : true;
  }
}
