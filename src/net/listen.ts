/** Listening and accepting, for `net.Server` and everything made on it, such as `http.Server`. */
import type { AsyncResource } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import type * as nodeNet from 'node:net';
import { getSystemErrorName } from 'node:util';
import type {
  Connection,
  ErrorName,
  Listener,
  ListenerOwner,
  ListenSettings,
  LocalListenSettings,
  Transport,
} from '../port/contract';
import { isCalledBy, stackSaysSend } from './asked-by-send';
import { answerIn, closeScope, nextTickOf } from './async-scopes';
import { bindWhenClosed, portClosed, portCloses } from './closing-ports';
import { askPrimaryFirst } from './cluster-worker';
import { core, nodeMajor, override } from './core';
import { cannotBeSent, errnoOf, listenError, operationError } from './errors';
import { existingListener, isDistributed, retire, takeDistributed } from './existing-listener';
import type { ExistingListener } from './existing-listener';
import { takeHandle } from './handle';
import { kConnection, kLink, nodeServer, normalizeArguments, setAsyncId } from './internals';
import type { NetServer, NetSocket } from './internals';
import type { SocketLink } from './link';
import { letEverybody, pathToUse } from './path';
import { isNetDenied } from './permission';
import { SharedListener } from './shared-listener';
import { Socket } from './socket';
import { handleClass } from './tcp-handle';
import type { TcpHandle } from './tcp-handle';

const serverSocketChannel = diagnosticsChannel.channel('net.server.socket');
const listenChannel = diagnosticsChannel.tracingChannel('net.server.listen');

/** Under `iocp-net/register` this module of Node's makes its servers with our class. */
const roundRobinModule = 'node:internal/cluster/round_robin_handle';

const kListening = Symbol('iocp-net.listening');

/** What our `listen()` notes for the steps after it. */
interface Listening {
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

type ListeningServer = NetServer & { [kListening]?: Listening };

function listeningOf(server: ListeningServer): Listening {
  return (server[kListening] ??= {
    ipv6Only: false,
    reusePort: false,
    isDistributor: false,
    open: false,
    closing: 0,
    owedCloses: [],
  });
}

// Up to Node 20 a maxConnections of 0 means no limit.
const zeroIsLimit = nodeMajor >= 22;

function isFull({ maxConnections, _connections }: NetServer): boolean {
  const limit = maxConnections as number | null | undefined;
  if (limit === undefined || limit === null) return false;
  return (zeroIsLimit || limit !== 0) && _connections >= limit;
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

  /** The server's 'close' waits for the socket to be closed, so that its port is free then. */
  close(callback?: () => void): void {
    const listener = this.#listener;
    if (listener === null) return;
    this.#listener = null;
    const listening = listeningOf(this.#server);
    listening.open = false;
    listening.closing++;
    this.atEnd?.();
    listener.close(() => {
      listening.closing--;
      this.closed();
      callback?.();
      if (listening.closing === 0) emitOwedCloses(this.#server, listening, listener.asyncId());
    });
  }

  /** The socket is closed. */
  protected closed(): void {}

  onAccept(connection: Connection): void {
    const Handle = this.onconnection === onConnection ? null : handleClass(connection.kind);
    if (Handle === null) this.accept(connection, null);
    else this.onconnection(0, new Handle(connection));
  }

  /** Takes a connection in, or turns it away. */
  accept(connection: Connection, handle: TcpHandle | null): void {
    take(this.#server, connection, handle);
  }

  onAcceptError(error: ErrorName): void {
    this.#server.emit('error', operationError(error, 'accept'));
  }
}

/** A server that was drained when it was closed says so, whether or not it listens again. */
function emitOwedCloses(server: NetServer, listening: Listening, asyncId: number): void {
  const owed = listening.owedCloses;
  listening.owedCloses = [];
  for (const scope of owed) {
    answerIn(scope, () => nextTickOf(asyncId, () => server.emit('close')));
  }
}

class TcpListenHandle extends ListenHandle {
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
    const endpoint = this.listener?.localEndpoint() ?? 'EBADF';
    if (typeof endpoint === 'string') return errnoOf(endpoint);
    Object.assign(out, endpoint);
    return 0;
  }
}

/** Of a socket that was there before. */
class ExistingListenHandle extends TcpListenHandle {
  adopt(
    transport: Transport,
    server: NetServer,
    { adoption, native, atEnd }: ExistingListener,
    backlog: number,
  ): ErrorName | null {
    const settings = { backlog, pauseOnAccept: server.pauseOnConnect };
    const name = this.take(transport.adoptListener(adoption, settings, this));
    if (name !== null) return name;
    this.atEnd = native === null ? atEnd : retire(native, server);
    if (this.listener?.kind === 'local') {
      Object.defineProperty(this, 'getsockname', { value: undefined });
    }
    return null;
  }
}

/** Of a path. Without `getsockname`: that is how Node's server knows what to say of its address. */
class PathListenHandle extends ListenHandle {
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
    const name = letEverybody(this.listener, this.#path, mode);
    return name === null ? 0 : errnoOf(name);
  }
}

function onConnection(this: ListenHandle, error: number, handle?: TcpHandle): void {
  const connection = handle?.connection;
  if (connection) this.accept(connection, handle);
  else if (error < 0) this.onAcceptError(getSystemErrorName(error));
}

function dropInfo(connection: Connection): nodeNet.DropArgument {
  const info = Object.create(null) as nodeNet.DropArgument;
  const local = connection.localEndpoint();
  const remote = connection.peerEndpoint();
  if (typeof local !== 'string') {
    info.localAddress = local.address;
    info.localPort = local.port;
    info.localFamily = local.family;
  }
  if (typeof remote !== 'string') {
    info.remoteAddress = remote.address;
    info.remotePort = remote.port;
    info.remoteFamily = remote.family;
  }
  return info;
}

function isBlocked({ blockList }: NetServer, connection: Connection): boolean {
  if (!blockList) return false;
  const peer = connection.peerEndpoint();
  if (typeof peer === 'string') return false;
  return blockList.check(peer.address, peer.family === 'IPv6' ? 'ipv6' : 'ipv4');
}

/** What becomes of a new connection. */
function take(server: NetServer, connection: Connection, handle: TcpHandle | null): void {
  if (isFull(server)) {
    if (connection.kind === 'tcp') server.emit('drop', dropInfo(connection));
    else server.emit('drop');
    connection.close(false);
  } else if (isBlocked(server, connection)) {
    connection.close(false);
  } else {
    admit(server, connection, handle);
  }
}

function admit(server: NetServer, connection: Connection, handle: TcpHandle | null): void {
  const socket = new Socket({
    [kConnection]: connection,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
  } as nodeNet.SocketConstructorOpts) as unknown as NetSocket;
  const link = socket[kLink];
  if (link !== undefined && handle !== null) takeHandle(link, handle);
  if (link !== undefined && connection.kind === 'tcp') applyServerOptions(server, link);
  server._connections++;
  socket.server = server;
  socket._server = server;
  server.emit('connection', socket as unknown as nodeNet.Socket);
  if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
}

function applyServerOptions(server: NetServer, link: SocketLink): void {
  if (server.noDelay) {
    link.noDelay = true;
    link.setNoDelay(true);
  }
  if (server.keepAlive) {
    link.keepAlive = true;
    link.keepAliveSettings = { delay: server.keepAliveInitialDelay };
    link.setKeepAlive(true, link.keepAliveSettings);
  }
}

function fail(server: NetServer, error: Error): void {
  if (listenChannel.hasSubscribers) {
    // The channel's message type knows only what its own start puts in.
    listenChannel.error.publish({ server, error });
  }
  process.nextTick(() => server.emit('error', error));
}

interface Bound {
  handle: ListenHandle;
  address: string;
  addressType: number | null;
}

/** Tries addresses in turn; an address in use is not another address family's business. */
function bind(
  server: NetServer,
  transport: Transport,
  candidates: readonly { address: string; addressType: number | null }[],
  settings: Omit<ListenSettings, 'address'>,
): Bound | Error {
  let error: Error | undefined;
  for (const { address, addressType } of candidates) {
    const handle = new TcpListenHandle(server);
    const name = handle.listen(transport, { ...settings, address });
    if (name === null) return { handle, address, addressType };
    error = listenError(name, { address, port: settings.port });
    if (name === 'EADDRINUSE') break;
  }
  return error ?? listenError('EINVAL', { address: undefined, port: settings.port });
}

function bindPath(
  server: NetServer,
  transport: Transport,
  path: string,
  backlog: number | undefined,
): Bound | Error {
  const handle = new PathListenHandle(server);
  const name = handle.listen(transport, {
    path: pathToUse(path),
    backlog: backlog || 511,
    pauseOnAccept: server.pauseOnConnect,
  });
  if (name === null) return { handle, address: path, addressType: -1 };
  return listenError(name, { address: path, port: -1 });
}

const anyAddress = [
  { address: '::', addressType: 6 },
  { address: '0.0.0.0', addressType: 4 },
];

type ListenTarget = nodeNet.ListenOptions & { _handle?: unknown; handle?: unknown };

const isOurs = (value: unknown): value is ListenHandle => value instanceof ListenHandle;

/** `listen(server)`: on what another server of ours listens on, too. */
function listenBeside(
  server: NetServer,
  source: ListenHandle,
  options: object,
  backlog: number,
): void {
  if (listenChannel.hasSubscribers) {
    listenChannel.asyncStart.publish({ server, options } as never);
  }
  const handle = source.duplicate();
  if (typeof handle === 'string') {
    fail(server, listenError(handle, { address: undefined, port: undefined }));
    return;
  }
  server._handle = new SharedListener(handle, () => {});
  server._listen2(null, -1, -1, backlog, undefined, undefined);
}

const listenMembers: ThisType<ListeningServer> & Record<string, unknown> = {
  listen: function listen(this: ListeningServer, ...args: unknown[]): NetServer {
    const [options, callback] = normalizeArguments<ListenTarget>(args);
    const source = [options._handle, options.handle, options].find((each) => isOurs(each));
    if (source !== undefined && !this._handle) {
      if (callback !== null) this.once('listening', callback);
      listenBeside(this, source as ListenHandle, options, Number(args[1]) || Number(args[2]) || 0);
      return this;
    }
    const listening = listeningOf(this);
    listening.ipv6Only = options.ipv6Only === true;
    listening.reusePort = options.reusePort === true;
    listening.isDistributor = isCalledBy(roundRobinModule, listen);
    nodeServer.listen.apply(this, args as never);
    return this;
  },

  _listen2(...args: Parameters<NetServer['_listen2']>): void {
    const [address, port, addressType, backlog, fd, flags] = args;
    const listening = listeningOf(this);
    const transport = listening.isDistributor ? null : core();
    const existing = transport === null ? null : existingListener(this, fd);
    if (transport !== null && existing !== null) {
      if (listenOnExisting(this, transport, existing, args)) return;
    }
    const isNodes = transport === null || port === null || typeof fd === 'number' || this._handle;
    if (isNodes || isNetDenied()) {
      nodeServer._listen2.apply(this, args);
      if (transport !== null && isDistributed(this._handle)) {
        takeDistributed(this._handle, transport, (connection) => take(this, connection, null));
      }
      return;
    }
    if (addressType === -1) {
      settle(this, bindPath(this, transport, String(address), backlog), port);
      return;
    }
    const bound = bind(this, transport, address ? [{ address, addressType }] : anyAddress, {
      port,
      backlog: backlog || 511,
      ipv6Only: listening.ipv6Only,
      // A Node that does not know the option has no flag for it.
      reusePort: listening.reusePort && Number(flags) > 1,
      pauseOnAccept: this.pauseOnConnect,
    });
    settle(this, bound, port);
  },

  _emitCloseIfDrained(): void {
    const listening = this[kListening];
    if (listening?.open) return;
    if (listening !== undefined && listening.closing > 0) {
      if (!this._handle && this._connections === 0) listening.owedCloses.push(closeScope());
      return;
    }
    nodeServer._emitCloseIfDrained.call(this);
  },
};

/** False where it is nothing that our core can listen on: Node then says what is wrong with it. */
function listenOnExisting(
  server: NetServer,
  transport: Transport,
  existing: ExistingListener,
  [address, port, addressType, backlog]: Parameters<NetServer['_listen2']>,
): boolean {
  const handle = new ExistingListenHandle(server);
  const name = handle.adopt(transport, server, existing, backlog || 511);
  if (name !== null) {
    const { _handle: given } = server;
    if (!(given instanceof SharedListener)) return false;
    server._handle = null;
    given.close();
    fail(server, listenError(name, { address: address ?? undefined, port: port ?? undefined }));
    return true;
  }
  startListening(server, { handle, address: String(address), addressType }, port);
  return true;
}

/**
 * Makes the handle the server's `_handle`, for everyone but `subprocess.send(message, server)`:
 * that passes it to native code, which takes it for a native handle and crashes. It gets the error
 * that Node has for handles that cannot be sent.
 */
function showHandle(server: NetServer, handle: ListenHandle): void {
  Object.defineProperty(server, '_handle', {
    configurable: true,
    enumerable: true,
    get: function get() {
      if (stackSaysSend(get)) throw cannotBeSent();
      return handle;
    },
    set: (value: unknown) => {
      Object.defineProperty(server, '_handle', {
        configurable: true,
        enumerable: true,
        value,
        writable: true,
      });
    },
  });
}

function startListening(
  server: NetServer,
  { handle, address, addressType }: Bound,
  port: number | null,
): void {
  showHandle(server, handle);
  listeningOf(server).open = true;
  setAsyncId(server, handle.getAsyncId());
  if (listenChannel.hasSubscribers) listenChannel.asyncEnd.publish({ server });
  server._connectionKey = `${addressType}:${address}:${port}`;
  if (server._unref) server.unref();
  nextTickOf(handle.getAsyncId(), () => {
    // Closed before it could say so.
    if (server._handle) server.emit('listening');
  });
}

function settle(server: NetServer, bound: Bound | Error, port: number): void {
  if (bound instanceof Error) fail(server, bound);
  else startListening(server, bound, port);
}

/** Makes servers of this prototype listen on the completion core. */
export function installListen(prototype: object): void {
  override(prototype, listenMembers);
}

/** Makes one server, of a class that cannot be had, listen on the core. */
export function listenOnCore<Server extends object>(server: Server): Server {
  if (core() === null) return server;
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(listenMembers))) {
    Object.defineProperty(server, name, { ...member, enumerable: false });
  }
  return server;
}

if (process.platform === 'win32') {
  askPrimaryFirst((server): server is NetServer => kListening in server);
}
