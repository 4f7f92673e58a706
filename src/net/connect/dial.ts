/** Connecting to addresses that are known: one, or several in turn ("happy eyeballs"). */
import type { AsyncResource } from 'node:async_hooks';
import { setTimeout, clearTimeout } from 'node:timers';
import type { Connection, ErrorName, Transport } from '../../port/contract';
import { answerIn, connectingScope, requestScope } from '../node/async-scopes';
import {
  connectAggregateError,
  connectionTimeout,
  endpointError,
  ipBlocked,
  operationError,
  withLocalEndpoint,
} from '../node/errors';
import type { NetSocket } from '../node/internals';
import { SilentOwner } from '../silent-owner';
import { Phase } from '../socket/link';
import type { SocketLink } from '../socket/link';
import { connectStarts, reportConnect } from './perf-entry';

/** A numeric address to connect to. */
export interface Destination {
  address: string;
  family: 4 | 6;
}

/** What one `connect()` asks for, apart from where to. */
export interface DialSettings {
  port: number;
  localAddress: string | undefined;
  localPort: number | undefined;
  /** Milliseconds after which the next of several addresses is tried. */
  attemptTimeout: number;
}

type Outcome = { connection: Connection } | { error: Error; attempted: boolean };

/** How Node prints the local end of a socket that has none, such as one that was not made. */
export const noAddress = 'undefined:undefined';

const anyAddress = { 4: '0.0.0.0', 6: '::' } as const;

// What connect() itself says on POSIX, before any packet is sent. Node's message then names the
// local end, and there is no 'connectionAttemptFailed'.
const immediateErrors: ReadonlySet<ErrorName> = new Set([
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EINVAL',
  'ENETUNREACH',
  'EPERM',
]);

/** Gives up a connection that no socket wants. */
function abandon(connection: Connection): void {
  connection.owner = null;
  connection.close(false);
}

/** As with Node, a failure is an 'error' that does not end the socket, and on Windows none. */
function applyTypeOfService(socket: NetSocket, link: SocketLink, connection: Connection): void {
  if (link.typeOfService === undefined) return;
  const error = connection.setTypeOfService(link.typeOfService);
  if (error === null || error === 'EBADF' || process.platform === 'win32') return;
  socket.emit('error', operationError(error, 'setTypeOfService'));
}

/** The socket has its connection: options, events and reading follow. */
export function becomeConnected(socket: NetSocket, link: SocketLink, connection: Connection): void {
  socket.connecting = false;
  socket._sockname = null;
  link.open(connection);
  socket._unrefTimer();
  if (connection.kind === 'tcp') {
    if (link.noDelay) link.setNoDelay(true);
    if (link.keepAlive) link.setKeepAlive(true, link.keepAliveSettings);
    applyTypeOfService(socket, link, connection);
  }
  socket.emit('connect');
  socket.emit('ready');
  if (!socket.isPaused()) socket.read(0);
}

/** One `connect()` of a socket, from the call until it is connected or destroyed. */
export class Dial {
  readonly socket: NetSocket;
  readonly settings: DialSettings;
  readonly #link: SocketLink;
  readonly #transport: Transport;
  #series: AttemptSeries | null = null;

  constructor(socket: NetSocket, link: SocketLink, transport: Transport, settings: DialSettings) {
    this.socket = socket;
    this.settings = settings;
    this.#link = link;
    this.#transport = transport;
  }

  /** False once the socket is connected or destroyed, or connects anew. */
  get isCurrent(): boolean {
    return this.#link.dial === this && this.socket.connecting;
  }

  /** Connects to the only address there is; the socket is destroyed when that fails. */
  single(destination: Destination): void {
    const { socket } = this;
    if (this.#isBlocked(destination)) {
      const { address, family } = destination;
      socket.emit('connectionAttempt', address, this.settings.port, family);
      socket.destroy(ipBlocked(address));
      return;
    }
    const attempt = new Attempt(this, destination, (error) => {
      if (error === null) this.succeed(attempt);
      else this.#failSingle(attempt, error);
    });
    const outcome = this.start(attempt);
    if ('error' in outcome) socket.destroy(outcome.error);
  }

  /** Tries addresses in turn, the next when one fails or takes too long. */
  several(destinations: readonly Destination[]): void {
    this.socket.autoSelectFamilyAttemptedAddresses = [];
    this.#series = new AttemptSeries(this, destinations);
    this.#series.next();
  }

  /** The socket was destroyed while connecting, and its connection is closed. */
  cancelled(): void {
    this.#series?.cancelled();
  }

  /** Binds and starts connecting, and tells listeners of the attempt. */
  start(attempt: Attempt): Outcome {
    const { socket } = this;
    const { address, family } = attempt.destination;
    const { port } = this.settings;
    const before = this.#startError(attempt);
    if (before !== null) return before;
    const scope = this.#link.takeScope();
    const connection = this.#transport.connect({ address, port, scope, ...attempt.local }, attempt);
    if ('error' in connection) return this.#refused(attempt, connection.error, connection.syscall);
    attempt.request = requestScope('TCPCONNECTWRAP', connection);
    // Bound and on its way: as with Node, a failed bind is no attempt. Answers come later.
    this.#link.applyRef(connection);
    this.#link.connection = connection;
    attempt.connection = connection;
    socket.emit('connectionAttempt', address, port, family);
    return { connection };
  }

  /** The connection of an attempt becomes the socket's. */
  succeed({ connection, destination, startTime }: Attempt): void {
    if (connection === null) return;
    becomeConnected(this.socket, this.#link, connection);
    reportConnect(destination.address, this.settings.port, startTime);
  }

  /** Makes the socket ready for one more attempt, as for a first. */
  renew(): void {
    this.socket._sockname = null;
    this.#link.scope = connectingScope(this.socket, 'tcp');
    this.#link.userBuffer?.renew();
  }

  /** Forgets the attempt under way, whose connection is no longer the socket's. */
  drop(attempt: Attempt): void {
    const { connection } = attempt;
    attempt.connection = null;
    // Destroyed meanwhile, the socket waits for the connection's end.
    if (connection === null || this.#link.connection !== connection) return;
    this.#link.connection = null;
    abandon(connection);
  }

  #isBlocked({ address, family }: Destination): boolean {
    return this.socket.blockList?.check(address, `ipv${family}`) ?? false;
  }

  #startError({ destination }: Attempt): Outcome | null {
    if (this.#isBlocked(destination)) {
      return { error: ipBlocked(destination.address), attempted: false };
    }
    if (this.#link.connection === null) return null;
    const name = this.#link.phase === Phase.Open ? 'EISCONN' : 'EALREADY';
    const own = this.#link.connection.localEndpoint();
    const at = typeof own === 'string' ? noAddress : `${own.address}:${own.port}`;
    return this.#refused({ destination, local: {} }, name, 'connect', at);
  }

  #refused(
    { destination, local }: Pick<Attempt, 'destination' | 'local'>,
    name: ErrorName,
    syscall: 'bind' | 'connect',
    boundTo = noAddress,
  ): Outcome {
    const { address, family } = destination;
    const { port } = this.settings;
    if (syscall === 'bind') {
      const at = { address: local.localAddress, port: local.localPort };
      return { error: endpointError(name, 'bind', at), attempted: false };
    }
    this.socket.emit('connectionAttempt', address, port, family);
    const error = endpointError(name, 'connect', { address, port }, boundTo);
    return { error, attempted: true };
  }

  immediateError(
    { destination, local }: Pick<Attempt, 'destination' | 'local'>,
    name: ErrorName,
  ): Error {
    const { address, family } = destination;
    const { port } = this.settings;
    const at = `${local.localAddress ?? anyAddress[family]}:${local.localPort ?? 0}`;
    return endpointError(name, 'connect', { address, port }, at);
  }

  /** What an attempt that was under way failed with. */
  attemptError({ destination, local }: Attempt, name: ErrorName): Error {
    const peer = { address: destination.address, port: this.settings.port };
    const { localAddress, localPort } = local;
    if (!localAddress || !localPort) return endpointError(name, 'connect', peer);
    const error = endpointError(name, 'connect', peer, `${localAddress}:${localPort}`);
    return withLocalEndpoint(error, localAddress, localPort);
  }

  #failSingle(attempt: Attempt, name: ErrorName): void {
    const { socket } = this;
    if (process.platform !== 'win32' && immediateErrors.has(name)) {
      socket.destroy(this.immediateError(attempt, name));
      return;
    }
    const { address, family } = attempt.destination;
    const error = this.attemptError(attempt, name);
    socket.connecting = false;
    socket.emit('connectionAttemptFailed', address, this.settings.port, family, error);
    socket.destroy(error);
  }
}

/** One connection attempt of a dial. */
class Attempt extends SilentOwner {
  readonly dial: Dial;
  readonly destination: Destination;
  /** What the attempt's socket is bound to, where that was asked for. */
  readonly local: { localAddress?: string; localPort?: number };
  readonly startTime = connectStarts();
  /** What its answer is given in. */
  request: AsyncResource | null = null;
  connection: Connection | null = null;
  readonly #settled: (error: ErrorName | null) => void;

  override get shownAs(): NetSocket {
    return this.dial.socket;
  }

  constructor(
    dial: Dial,
    destination: Destination,
    settled: (error: ErrorName | null) => void,
    useLocalAddress = true,
  ) {
    super();
    this.dial = dial;
    this.destination = destination;
    this.#settled = settled;
    const { localAddress, localPort } = dial.settings;
    const address = useLocalAddress ? localAddress : undefined;
    this.local =
      address || localPort
        ? {
            localAddress: address || anyAddress[destination.family],
            ...(localPort ? { localPort } : {}),
          }
        : {};
  }

  override onConnect(error: ErrorName | null): void {
    // After destroy() the socket's ClosingOwner has taken over; this is an attempt given up.
    if (this.connection === null || !this.dial.isCurrent || this.request === null) return;
    answerIn(this.request, this.#settled, error);
  }
}

/** The attempts of one dial to several addresses. */
class AttemptSeries {
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
    const outcome = this.#dial.start(attempt);
    if ('error' in outcome) {
      if (outcome.attempted) this.#note(address);
      this.#errors.push(outcome.error);
      const isBind = (outcome.error as NodeJS.ErrnoException).syscall === 'bind';
      if (!isBind) {
        socket.emit('connectionAttemptFailed', address, settings.port, family, outcome.error);
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
