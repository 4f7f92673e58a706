/** Listening and accepting, for `net.Server` and everything made on it, such as `http.Server`. */
import diagnosticsChannel from 'node:diagnostics_channel';
import type * as nodeNet from 'node:net';
import { bare } from '../bare';
import type { ListenSettings, Transport } from '../../port/contract';
import { hasUnknownChannels, isAskedBySend } from '../ipc/asked-by-send';
import { isCalledBy } from '../node/call-stack';
import { closeScope, nextTickOf } from '../node/async-scopes';
import { askPrimaryFirst } from '../cluster/worker';
import { core, override } from '../core';
import { cannotBeSent, listenError } from '../node/errors';
import { takeIn } from './admission';
import { existingListener, isDistributed, takeDistributed } from './existing-listener';
import type { ExistingListener } from './existing-listener';
import { nodeServer, normalizeArguments, setAsyncId } from '../node/internals';
import type { NetServer } from '../node/internals';
import { pathToUse } from '../path';
import { isNetDenied } from '../node/permission';
import { SharedListener } from './shared-listener';
import {
  ExistingListenHandle,
  kListening,
  listeningOf,
  ListenHandle,
  PathListenHandle,
  TcpListenHandle,
} from './listen-handle';
import type { ListeningServer } from './listen-handle';

const listenChannel = diagnosticsChannel.tracingChannel('net.server.listen');

/** Under `iocp-net/register` this module of Node's makes its servers with our class. */
const roundRobinModule = 'node:internal/cluster/round_robin_handle';

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

/** Node checks nothing of it: what is no number is made one by its native code. */
const backlogOf = (backlog: number | undefined): number => ~~(backlog || 511);

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
    // It says nothing of an IPv4 address, and the system would refuse it.
    const ipv6Only = settings.ipv6Only && addressType === 6;
    const name = handle.listen(transport, { ...settings, address, ipv6Only });
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
    backlog: backlogOf(backlog),
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
    listenChannel.asyncStart.publish({ server, options });
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
      listenBeside(this, source, options, Number(args[1]) || Number(args[2]) || 0);
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
        takeDistributed(this._handle, transport, (connection) => takeIn(this, connection, null));
      }
      return;
    }
    if (addressType === -1) {
      settle(this, bindPath(this, transport, String(address), backlog), port);
      return;
    }
    const bound = bind(this, transport, address ? [{ address, addressType }] : anyAddress, {
      port,
      backlog: backlogOf(backlog),
      ipv6Only: listening.ipv6Only,
      // A Node that does not know the option has no flag for it.
      reusePort: listening.reusePort && Number(flags) > 1,
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
  const name = handle.adopt(transport, server, existing, backlogOf(backlog));
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
 * Makes the handle the server's `_handle`. Where channels of `subprocess.send(message, server)` are
 * unknown to us, not for those: one passes the handle to native code, which takes it for a native
 * one and crashes. It gets the error that Node has for handles that cannot be sent. (With accessors
 * a server is a hash table to V8, and `http` asks it ten things about every request.)
 */
function publishHandle(server: NetServer, handle: ListenHandle): void {
  if (!hasUnknownChannels()) {
    server._handle = handle;
    return;
  }
  const shown = { configurable: true, enumerable: true };
  const accessors = {
    ...shown,
    get: function get() {
      if (isAskedBySend(get)) throw cannotBeSent();
      return handle;
    },
    set: (value: unknown) => {
      Object.defineProperty(server, '_handle', bare({ ...shown, value, writable: true }));
    },
  };
  Object.defineProperty(server, '_handle', bare(accessors));
}

function startListening(
  server: NetServer,
  { handle, address, addressType }: Bound,
  port: number | null,
): void {
  publishHandle(server, handle);
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
