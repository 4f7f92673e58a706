/** The async resource of a connection that an HTTP agent has kept, for another request. */
import type { AsyncResource } from 'node:async_hooks';
import { ConnectionScope } from '../../port/connection-scope';
import type { Connection } from '../../port/contract';

/** `handle` is the resource before it, as with that of Node's own. */
export class ReusedScope extends ConnectionScope {
  readonly handle: AsyncResource;

  /** Ends the one that the connection has. */
  constructor(connection: Connection) {
    super(connection);
    this.handle = connection.scope.emitDestroy();
  }
}
