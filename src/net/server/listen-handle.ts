/** `server._handle`: a listener of ours with the face of Node's. */
import type { AsyncResource } from 'node:async_hooks';
import { getSystemErrorName } from 'node:util';
import type {
  Arrival,
  Connection,
  ErrorName,
  Listener,
  ListenerOwner,
  ListenSettings,
  LocalListenSettings,
  Transport,
} from '../../port/contract';
import { bare } from '../bare';
import { answerIn, nextTickOf } from '../node/async-scopes';
import { admit, admits, isSelective, takeIn } from './admission';
import { bindWhenClosed, portClosed, portCloses } from './closing-ports';
import { operationError } from '../node/errors';
import { endpointInto, statusOf } from '../node/handle-answers';
import { retire } from './existing-listener';
import type { ExistingListener } from './existing-listener';
import type { NetServer } from '../node/internals';
import { letEverybody } from '../path';
import { handleClass } from '../handle/handle-class';
import type { SocketHandle } from '../handle/handle-interface';

export const kListening = Symbol('iocp-net.listening');

/** What our `listen()` notes for the steps after it. */
export interface Listening {
  ipv6Only: boolean;
  reusePort: boolean;
  /** The server is what the primary of a cluster accepts with, to hand Node's handles around. */
  isDistributor: boolean;
  /** Whether a listener of ours is open. */
  open: boolean;
  /** Listeners told to close whose sockets are still open. */
  closing: number;
  /** `'close'` events that wait for that, each in the context of its `close()`. */
  owedCloses: AsyncResource[];
}

export type ListeningServer = NetServer & { [kListening]?: Listening };

export function listeningOf(server: ListeningServer): Listening {
  return (server[kListening] ??= {
    ipv6Only: false,
    reusePort: false,
    isDistributor: false,
    open: false,
    closing: 0,
    owedCloses: [],
  });
}

/** Stands as `server._handle`, for what Node's own server does with that. */
export class ListenHandle implements ListenerOwner {
  readonly #server: ListeningServer;
  #listener: Listener | null = null;
  /**
   * Called for each connection where someone has put a function of his own in its place; the
   * handles then have methods to replace, too.
   */
  onconnection = onConnection;
  /** Called with close(). */
  protected atEnd: (() => void) | undefined;

  constructor(server: NetServer) {
    this.#server = server;
  }

  get shownAs(): ListeningServer {
    return this.#server;
  }

  /** Takes what the transport answered; returns the error's name or null. */
  protected take(answer: Listener | ErrorName): ErrorName | null {
    if (typeof answer === 'string') return answer;
    this.#listener = answer;
    return null;
  }

  duplicate(): number | ErrorName {
    return this.#listener?.duplicate() ?? 'EBADF';
  }

  protected get listener(): Listener | null {
    return this.#listener;
  }

  get fd(): number {
    return this.#listener?.fd ?? -1;
  }

  getAsyncId(): number {
    return this.#listener?.asyncId() ?? -1;
  }

  ref(): void {
    this.#listener?.ref();
  }

  unref(): void {
    this.#listener?.unref();
  }

  hasRef(): boolean {
    return this.#listener?.hasRef() ?? false;
  }

  /** Where closing takes long, the server's 'close' waits for it, so that its port is free then. */
  close(callback?: () => void): void {
    const listener = this.#listener;
    if (listener === null) return;
    this.#listener = null;
    const listening = listeningOf(this.#server);
    listening.open = false;
    listening.closing++;
    this.atEnd?.();
    const settle = (): void => {
      listening.closing--;
      this.closed();
    };
    const isClosed = listener.close(() => {
      if (!isClosed) settle();
      callback?.();
      if (listening.closing === 0) emitOwedCloses(this.#server, listening, listener.asyncId());
    });
    if (isClosed) settle();
  }

  /** The socket is closed. */
  protected closed(): void {}

  /** A function in the place of `onconnection` gets all connections, as under `node:net`. */
  get isSelective(): boolean {
    return this.onconnection === onConnection && isSelective(this.#server);
  }

  admits(arrival: Arrival): boolean {
    return admits(this.#server, arrival);
  }

  onAccept(connection: Connection): void {
    if (this.onconnection === onConnection) {
      admit(this.#server, connection, null);
      return;
    }
    const Handle = handleClass(connection.kind);
    if (Handle === null) this.accept(connection, null);
    else this.onconnection(0, new Handle(connection));
  }

  /** Takes a connection in, or turns it away. */
  accept(connection: Connection, handle: SocketHandle | null): void {
    takeIn(this.#server, connection, handle);
  }

  onAcceptError(error: ErrorName): void {
    this.#server.emit('error', operationError(error, 'accept'));
  }
}

/**
 * A server that was drained when it was closed says so, whether or not it listens again; but not one
 * that had accepted a connection by then, of which it was told since (`PortListener.takesAccepted`).
 * The last of those says it.
 */
function emitOwedCloses(server: NetServer, listening: Listening, asyncId: number): void {
  const owed = listening.owedCloses;
  listening.owedCloses = [];
  if (!listening.open && server._connections > 0) return;
  for (const scope of owed) {
    answerIn(scope, () => nextTickOf(asyncId, () => server.emit('close')));
  }
}

export class TcpListenHandle extends ListenHandle {
  #port = 0;

  listen(transport: Transport, settings: ListenSettings): ErrorName | null {
    this.#port = settings.port;
    return this.take(bindWhenClosed(this.#port, () => transport.listen(settings, this)));
  }

  override close(callback?: () => void): void {
    const endpoint = this.listener?.localEndpoint();
    if (endpoint === undefined) return;
    if (typeof endpoint !== 'string') this.#port = endpoint.port;
    portCloses(this.#port);
    super.close(callback);
  }

  protected override closed(): void {
    portClosed(this.#port);
  }

  /** Writes the address into `out`; returns 0 or the error's number, as Node's handles do. */
  getsockname(out: object): number {
    return endpointInto(out, this.listener?.localEndpoint() ?? 'EBADF');
  }
}

/** Of a socket that was there before. */
export class ExistingListenHandle extends TcpListenHandle {
  adopt(
    transport: Transport,
    server: NetServer,
    { adoption, native, atEnd }: ExistingListener,
    backlog: number,
  ): ErrorName | null {
    const name = this.take(transport.adoptListener(adoption, { backlog }, this));
    if (name !== null) return name;
    this.atEnd = native === null ? atEnd : retire(native, server);
    if (this.listener?.kind === 'local') {
      Object.defineProperty(this, 'getsockname', bare({ value: undefined }));
    }
    return null;
  }
}

/** Of a path. Without `getsockname`: that is how Node's server knows what to say of its address. */
export class PathListenHandle extends ListenHandle {
  #path = '';

  listen(transport: Transport, settings: LocalListenSettings): ErrorName | null {
    this.#path = settings.path;
    return this.take(bindWhenClosed(this.#path, () => transport.listenLocal(settings, this)));
  }

  override close(callback?: () => void): void {
    if (this.listener === null) return;
    portCloses(this.#path);
    super.close(callback);
  }

  protected override closed(): void {
    portClosed(this.#path);
  }

  /** Called by Node's `listen()` for the options `readableAll` and `writableAll`. */
  fchmod(mode: number): number {
    return statusOf(letEverybody(this.listener, this.#path, mode));
  }
}

function onConnection(this: ListenHandle, error: number, handle?: SocketHandle): void {
  const connection = handle?.connection;
  if (connection) this.accept(connection, handle);
  else if (error < 0) this.onAcceptError(getSystemErrorName(error));
}
