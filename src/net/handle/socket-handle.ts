/**
 * `socket._handle`: a connection of ours with the face of Node's native TCP or pipe handle.
 *
 * Node's own code and the ecosystem look for one. The object is one of Node's native stream class
 * (`./native-stream`), so that `tls`, `http2` and the HTTP parser can read and write it in native
 * code; what those ask of it ends in the hooks below, and those in a `Connection`. Everything that
 * only a TCP handle has is implemented here, in JavaScript.
 *
 * It is made when someone first looks at `_handle`. A socket at which nobody looks never has one.
 * This module is loaded with the first (`./handle-class`), where Node's class was found.
 */
import type { Connection, ErrorName, KeepAliveSettings, SocketKind } from '../../port/contract';
import { bare, has } from '../bare';
import { answerSoon } from '../node/async-scopes';
import { connectSomewhere } from '../connect/zone';
import { core } from '../core';
import { errnoOf, operationError } from '../node/errors';
import { endpointInto, statusOf } from '../node/handle-answers';
import { BeforeConnect, noLocalEnd } from './before-connect';
import { HandleConnect } from './handle-connect';
import { HandleState } from './handle-interface';
import type {
  Callback,
  ConnectRequest,
  HandleOwner,
  SocketHandle,
  SocketHandleClass,
} from './handle-interface';
import { named, watchReceiver } from './handle-members';
import { HandleClosingOwner, HandleReader } from './handle-reader';
import { HandleWriter } from './handle-writer';
import { nativeStream } from './native-stream';
import type { FoundStream } from './native-stream';
import { ReusedScope } from './reused-scope';
import { pathToUse } from '../path';

/** An object that Node has given a socket of its own, reached by Node's own symbol. */
type Owned = Record<symbol, { destroy?: (error: Error) => void } | undefined>;

const { NativeStream, ownerSymbol } = nativeStream() as FoundStream;

/** What libuv answers, where a connected TCP socket is asked for what it cannot do. */
const whenConnected: { listen: ErrorName; setBlocking: ErrorName | null } =
  process.platform === 'win32'
    ? { listen: 'EISCONN', setBlocking: 'EINVAL' }
    : { listen: 'EINVAL', setBlocking: null };

class Handle extends NativeStream implements SocketHandle {
  link: HandleOwner | null = null;
  state = HandleState.Open;
  readonly reader: HandleReader;
  declare readonly ownMethods: SocketHandle['ownMethods'];
  /** Where there is a link, the connection is the link's. */
  #connection: Connection | null = null;
  #connect: HandleConnect | null = null;
  /** While there is no connection yet. */
  #before: BeforeConnect | null = null;
  #readingWanted = false;
  #refed = true;
  /** From the first write of a native consumer. */
  #writer: HandleWriter | null = null;

  constructor(accepted: Connection | null) {
    super();
    this.reader = new HandleReader(this);
    this.reader.receiveUnclaimed();
    this.#connection = accepted;
    if (accepted !== null) accepted.owner = this.reader;
  }

  get connection(): Connection | null {
    return this.link === null ? this.#connection : this.link.connection;
  }

  join(link: HandleOwner): void {
    this.#connection = null;
    this.link = link;
    this.serve(link.socket);
  }

  serve(socket: object): void {
    if (ownerSymbol !== undefined) Reflect.set(this, ownerSymbol, socket);
  }

  get shownAs(): object {
    return (ownerSymbol && (this as unknown as Owned)[ownerSymbol]) ?? this;
  }

  leave(): void {
    const { connection } = this;
    this.#refed = this.link?.refed ?? this.#refed;
    this.#connection = connection;
    this.link = null;
    if (connection !== null) connection.owner = this.reader;
  }

  // --- What native consumers ask for ------------------------------------------------------------

  onreadstart(): number {
    this.#readingWanted = true;
    const { connection } = this;
    if (connection === null) return this.link === null ? this.#deadError() : 0;
    this.reader.takeOver(connection);
    connection.startReading();
    return 0;
  }

  onreadstop(): number {
    this.#readingWanted = false;
    this.connection?.withdrawReading();
    return 0;
  }

  onwrite(request: object, buffers: Buffer[]): number {
    const { connection } = this;
    if (connection === null) return this.#deadError();
    this.#writer ??= new HandleWriter(this, this.reader);
    return this.#writer.write(connection, request, buffers);
  }

  lateWriteError(error: ErrorName): boolean {
    if (this.#writer === null) return false;
    this.#writer.lateError = error;
    return true;
  }

  onshutdown(request: object): number {
    const { connection } = this;
    if (connection === null) return errnoOf('ENOTCONN');
    const done = (error: ErrorName | null): void => {
      this.finishShutdown(request, statusOf(error));
    };
    return statusOf(connection.shutdown(done));
  }

  isClosing(): boolean {
    return this.state !== HandleState.Open;
  }

  get writeError(): ErrorName {
    if (this.state === HandleState.Open) return 'ENOTCONN';
    return this.state === HandleState.Closing ? 'EBADF' : 'EINVAL';
  }

  #deadError(): number {
    return errnoOf(this.writeError);
  }

  // --- Beginning and end ------------------------------------------------------------------------

  opened(connection: Connection): void {
    connection.owner = this.reader;
    this.#hasConnected(connection);
  }

  #hasConnected(connection: Connection): void {
    this.#before?.applyTo(connection);
    this.#before = null;
    if (this.#readingWanted) connection.startReading();
  }

  bind(address: string, port: number): number {
    return this.#bind(address, port, 4);
  }

  bind6(address: string, port: number, flags?: number): number {
    return this.#bind(address, port, 6, flags);
  }

  get isBound(): boolean {
    return this.#before?.isBound ?? false;
  }

  #bind(address: string, port: number, family: 4 | 6, flags?: number): number {
    if (this.state !== HandleState.Open) return this.#deadError();
    if (this.connection !== null) return errnoOf('EINVAL');
    return this.#beforeConnect().bind(address, port, family, flags);
  }

  #beforeConnect(): BeforeConnect {
    return (this.#before ??= new BeforeConnect());
  }

  connect(request: ConnectRequest, address: string, port?: number): number {
    if (this.state !== HandleState.Open) return this.#deadError();
    if (this.connection !== null) return errnoOf('EALREADY');
    const connection = this.#start(address, port);
    if (typeof connection === 'string') return errnoOf(connection);
    if (this.link === null) this.#connection = connection;
    else this.link.connection = connection;
    this.#connect = new HandleConnect(this, request, connection);
    if (!(this.link?.refed ?? this.#refed)) connection.unref();
    return 0;
  }

  /** A path comes without a port. */
  #start(address: string, port: number | undefined): Connection | ErrorName {
    const transport = core();
    if (transport === null) return 'ENOTSUP';
    const scope = this.link?.takeScope();
    const local = this.#before?.release() ?? noLocalEnd;
    if (port === undefined) return transport.connectLocal(pathToUse(address), this.reader, scope);
    const settings = { address, port, scope, ...local };
    const answer = connectSomewhere(transport, settings, this.reader);
    return has(answer, 'error') ? answer.error : answer;
  }

  connect6(request: ConnectRequest, address: string, port: number): number {
    return this.connect(request, address, port);
  }

  connected(error: ErrorName | null): void {
    const connect = this.#connect;
    this.#connect = null;
    const { connection } = this;
    if (error === null && connection !== null) this.#hasConnected(connection);
    connect?.answer(error);
  }

  /** A handle of ours gets its connection by `connect()` alone. */
  open(): number {
    return errnoOf(this.connection === null ? 'ENOTSUP' : 'EBUSY');
  }

  listen(): number {
    return errnoOf(this.connection === null ? 'ENOTSUP' : whenConnected.listen);
  }

  close(callback?: Callback): void {
    this.#end(false, callback);
  }

  reset(callback?: Callback): number {
    this.#end(true, callback);
    return 0;
  }

  /** As with Node's handles, only the first call is answered. */
  #end(reset: boolean, callback: Callback | undefined): void {
    if (this.state !== HandleState.Open) return;
    this.state = HandleState.Closing;
    const { connection, link } = this;
    const connect = this.#connect;
    this.#connect = null;
    this.#connection = null;
    this.link = null;
    this.#before?.release();
    link?.closed();
    const scope = link?.takeScope();
    const done = (): void => {
      this.state = HandleState.Closed;
      connect?.cancel();
      callback?.();
    };
    if (connection === null) {
      // A native handle's close takes a turn of the event loop, too.
      answerSoon(scope, done);
      return;
    }
    connection.owner = new HandleClosingOwner(this.shownAs, done);
    connection.close(reset);
  }

  fail(error: ErrorName): void {
    const owner = ownerSymbol && (this as unknown as Owned)[ownerSymbol];
    owner?.destroy?.(operationError(error, 'read'));
  }

  // --- The rest of a TCP handle -----------------------------------------------------------------

  /** What has options and a local end: the connection, or what stands for it before. */
  #optionTarget(): Connection | BeforeConnect {
    return this.connection ?? this.#beforeConnect();
  }

  setNoDelay(enable?: boolean): number {
    return statusOf(this.#optionTarget().setNoDelay(Boolean(enable)));
  }

  setKeepAlive(enable?: boolean, delay = 0, interval?: number, count?: number): number {
    const settings: KeepAliveSettings = { delay, interval, count };
    return statusOf(this.#optionTarget().setKeepAlive(Boolean(enable), settings));
  }

  /** What is written is sent at once as it is; waiting for the peer would hold up the port. */
  setBlocking(enable: boolean): number {
    const error = enable ? 'ENOTSUP' : whenConnected.setBlocking;
    return statusOf(error);
  }

  /** Where Node's code of long ago had the socket. */
  get owner(): object {
    return this.shownAs;
  }

  set owner(socket: object) {
    this.serve(socket);
  }

  setTypeOfService(value: number): number {
    return statusOf(this.#optionTarget().setTypeOfService(value));
  }

  getTypeOfService(): number {
    const value = this.#optionTarget().typeOfService();
    return typeof value === 'string' ? errnoOf(value) : value;
  }

  /** Node's HTTP agent asks before it gives a pooled socket to a request (from Node 24.22 on). */
  hasPendingRead(): boolean {
    return this.connection?.hasUnread() ?? false;
  }

  getsockname(out: object): number {
    return endpointInto(out, this.#optionTarget().localEndpoint());
  }

  getpeername(out: object): number {
    return endpointInto(out, this.connection?.peerEndpoint() ?? 'EBADF');
  }

  ref(): void {
    this.#setReferenced(true);
  }

  unref(): void {
    this.#setReferenced(false);
  }

  #setReferenced(referenced: boolean): void {
    this.#refed = referenced;
    if (this.link !== null) this.link.refed = referenced;
    if (referenced) this.connection?.ref();
    else this.connection?.unref();
  }

  hasRef(): boolean {
    if (this.state !== HandleState.Open) return false;
    return this.connection?.hasRef() ?? this.link?.refed ?? this.#refed;
  }

  getAsyncId(): number {
    return this.connection?.scope.asyncId() ?? -1;
  }

  /** Node's HTTP agent gives a kept connection to another request: it is in that one's context. */
  asyncReset(): void {
    const { connection } = this;
    if (connection !== null) connection.scope = new ReusedScope(connection);
  }

  get fd(): number {
    return this.connection?.fd ?? this.#before?.fd ?? -1;
  }

  get reading(): boolean {
    return this.connection?.reading ?? this.#readingWanted;
  }

  // Node's code notes here what it then does by readStart() and readStop().
  set reading(_reading: boolean) {}

  get bytesRead(): number {
    return this.connection?.bytesRead ?? 0;
  }

  get bytesWritten(): number {
    return this.connection?.bytesWritten ?? 0;
  }

  get writeQueueSize(): number {
    return this.connection?.writeQueueSize ?? 0;
  }
}

watchReceiver(Handle.prototype);

/** Node's handle of a local socket is known by what it has not. */
class LocalHandle extends Handle {}

const absentFromLocal = [
  ...['setNoDelay', 'setKeepAlive', 'setTypeOfService', 'getTypeOfService'],
  ...['getsockname', 'getpeername', 'connect6', 'reset', 'owner'],
];
for (const name of absentFromLocal) {
  Object.defineProperty(LocalHandle.prototype, name, bare({ value: undefined }));
}

export const handleClasses: Record<SocketKind, SocketHandleClass> = {
  tcp: named(Handle, 'TCP'),
  local: named(LocalHandle, 'Pipe'),
};
