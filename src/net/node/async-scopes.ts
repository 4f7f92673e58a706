/**
 * The async resources that Node has for its native handles and requests. `AsyncLocalStorage` and
 * `async_hooks` see through them in which context a callback runs, and what caused it.
 */
import { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import { bare } from '../bare';
import { core } from '../core';
import type { Connection, SocketKind } from '../../port/contract';
import { kLink, nodeServer, setAsyncId } from './internals';
import type { NetServer, SocketWith } from './internals';

type RequestType = 'TCPCONNECTWRAP' | 'PIPECONNECTWRAP' | 'SHUTDOWNWRAP' | 'WRITEWRAP';

/** A resource whose 'destroy' is emitted by whoever ends it. */
function resource(type: string, triggerAsyncId?: number): AsyncResource {
  const options = { requireManualDestroy: true };
  return new AsyncResource(
    type,
    bare(triggerAsyncId === undefined ? options : { ...options, triggerAsyncId }),
  );
}

type ReferencedSocket = SocketWith<{ readonly refed: boolean }>;

/**
 * Tools that look for what holds the process ask the resource, which with Node is the handle. They
 * see it first while it is constructed.
 */
class ConnectingScope extends AsyncResource {
  readonly socket?: ReferencedSocket;

  constructor(type: string, socket: ReferencedSocket) {
    super(type, { requireManualDestroy: true });
    this.socket = socket;
  }

  hasRef(): boolean {
    return this.socket?.[kLink]?.refed ?? true;
  }
}

/** The scope of a connection that a socket is about to get: it belongs to the `connect()`. */
export function connectingScope(socket: ReferencedSocket, kind: SocketKind): AsyncResource {
  const scope = new ConnectingScope(kind === 'tcp' ? 'TCPWRAP' : 'PIPEWRAP', socket);
  setAsyncId(socket, scope.asyncId());
  return scope;
}

/** The scope of one request on a connection: that of the caller, not of the connection. */
export function requestScope(type: RequestType, connection: Connection): AsyncResource {
  return resource(type, connection.scope.asyncId());
}

/** The scope of a server's `close()`, which is answered when the listener is closed. */
export const closeScope = (): AsyncResource => resource('SERVERCLOSE');

/**
 * Calls back in a request's scope, which ends thereby. What the callback throws is reported from
 * within, so that an 'uncaughtException' sees the context of whoever threw.
 */
export function answerIn<Args extends unknown[]>(
  scope: AsyncResource,
  callback: (...args: Args) => void,
  ...args: Args
): void {
  scope.runInAsyncScope(reportThrown, null, callback, args);
  scope.emitDestroy();
}

function reportThrown<Args extends unknown[]>(callback: (...args: Args) => void, args: Args): void {
  try {
    callback(...args);
  } catch (error) {
    const transport = core();
    if (transport === null) throw error;
    transport.fatalException(error);
  }
}

/** In the next turn of the event loop, in the scope of what was to be a connection. */
export function answerSoon(scope: AsyncResource | undefined, callback: () => void): void {
  setImmediate(() => {
    if (scope === undefined) callback();
    else answerIn(scope, callback);
  });
}

/** Stands for a server without connections; its async id is that of whoever is the cause. */
const cause = { _usingWorkers: false, _connections: 0 };

/**
 * In the next tick, caused by the handle with this async id. Node's own `getConnections()` is what
 * sets the cause; nobody else can. It reads the id at once.
 */
export function nextTickOf(asyncId: number, callback: () => void): void {
  setAsyncId(cause, asyncId);
  nodeServer.getConnections.call(cause as object as NetServer, callback);
}
