/** Connecting to an address that is known; `attempt-series.ts` has several tried in turn. */
import type { Connection, ErrorName, Transport } from '../../port/contract';
import { bare, has } from '../bare';
import { connectingScope, requestScope } from '../node/async-scopes';
import { anyAddress, Attempt, immediateErrors } from './attempt';
import type { Destination, DialSettings } from './attempt';
import { becomeConnected } from './connected';
import { endpointError, errnoOf, ipBlocked, nameOfNumber, withLocalEndpoint } from '../node/errors';
import { isIP } from '../node/node-net';
import { ownHandle } from '../handle/handle';
import type { SocketHandle } from '../handle/handle-interface';
import { allMethods, handleMethods, isReplaced } from '../handle/replaced';
import { connectSomewhere } from './zone';
import { Phase } from '../socket/link';
import type { LinkedSocket, PendingConnect, SocketLink } from '../socket/link';
import { reportConnect } from './perf-entry';

/** A start that failed; `attempted`: after listeners were told. */
interface Failure {
  error: Error;
  attempted: boolean;
}

/** How Node prints the local end of a socket that has none, such as one that was not made. */
export const noAddress = 'undefined:undefined';

/** What libuv has for a failed bind that it does not tell of: another port, or an error later. */
function unexpectedPort(handle: SocketHandle, localPort: number | undefined): number {
  if (!localPort || typeof handle.getsockname !== 'function') return 0;
  const at = { port: localPort };
  const number = handle.getsockname(at);
  return number || (at.port === localPort ? 0 : errnoOf('EADDRINUSE'));
}

/** A number that is no port is bound as another, which Node takes for one that is in use. */
const isOtherPort = (port: number | undefined): boolean =>
  port !== undefined && port > 0 && !(Number.isInteger(port) && port <= 65535);

/** As Node prints it. */
function ownEnd(handle: SocketHandle): string {
  const at: { address?: string; port?: number } = bare({});
  if (typeof handle.getsockname === 'function') handle.getsockname(at);
  return `${at.address}:${at.port}`;
}

/** Gives up a connection that no socket wants. */
function abandon(connection: Connection): void {
  connection.owner = null;
  connection.close(false);
}

/** One `connect()` of a socket, from the call until it is connected or destroyed. */
export class Dial implements PendingConnect {
  readonly socket: LinkedSocket;
  readonly settings: DialSettings;
  readonly #link: SocketLink;
  readonly #transport: Transport;
  /** The connect under way of which the end is this one's, too: itself, or an earlier one. */
  readonly #first: PendingConnect;
  /** Its attempts, where it tries several addresses in turn. */
  series: PendingConnect | null = null;

  constructor(
    socket: LinkedSocket,
    link: SocketLink,
    transport: Transport,
    first: PendingConnect | null,
    settings: DialSettings,
  ) {
    this.#first = first ?? this;
    this.socket = socket;
    this.settings = settings;
    this.#link = link;
    this.#transport = transport;
  }

  /** False once the socket is connected or destroyed, or connects anew. */
  get isCurrent(): boolean {
    return this.#link.dial === this.#first && this.socket.connecting;
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
    const failure = this.start(attempt);
    if (failure !== null) socket.destroy(failure.error);
  }

  cancelled(): void {
    this.series?.cancelled();
  }

  /** Binds, tells listeners of the attempt, and starts connecting. Null if that is under way. */
  start(attempt: Attempt): Failure | null {
    const failure = this.#startError(attempt) ?? this.#bindByHandle(attempt);
    if (failure !== null) return failure;
    // The transport binds when it connects, and a failed bind is no attempt.
    const bindsLate = attempt.local.localAddress !== undefined && !this.#isAsked();
    if (!bindsLate) this.#announce(attempt);
    if (!this.isCurrent) return null;
    return this.#isAsked() ? this.#askHandle(attempt) : this.#connect(attempt, bindsLate);
  }

  #announce({ destination: { address, family } }: Pick<Attempt, 'destination'>): void {
    this.socket.emit('connectionAttempt', address, this.settings.port, family);
  }

  /** Whether the connect goes through the handle: others have replaced its methods, or it is bound. */
  #isAsked(): boolean {
    const { handle } = this.#link;
    if (handle === null) return false;
    return handle.isBound || isReplaced(handle, handleMethods.connecting);
  }

  /** Where a handle is asked, or listeners may still see to it that it is, it binds by itself. */
  #bindByHandle({ destination: { family }, local }: Attempt): Failure | null {
    const { localAddress, localPort } = local;
    if (localAddress === undefined) return null;
    const isWatched = this.socket.listenerCount('connectionAttempt') > 0;
    if (!isWatched && !this.#isAsked()) return null;
    const handle = ownHandle(this.#link);
    if (handle === null) return null;
    const answer =
      family === 4
        ? handle.bind(localAddress, localPort as number)
        : handle.bind6(localAddress, localPort as number, 0);
    const number = answer || unexpectedPort(handle, localPort);
    if (!number) return null;
    const error = endpointError(nameOfNumber(number), 'bind', {
      address: localAddress,
      port: localPort,
    });
    return { error, attempted: false };
  }

  /** By the transport, which nobody can see. */
  #connect(attempt: Attempt, bindsLate: boolean): Failure | null {
    const { address } = attempt.destination;
    const { port } = this.settings;
    const scope = this.#link.takeScope();
    const settings = { address, port, scope, ...attempt.local };
    const answer = connectSomewhere(this.#transport, settings, attempt);
    if (has(answer, 'error')) {
      const { error, syscall } = answer;
      if (bindsLate && syscall === 'connect') this.#announce(attempt);
      return this.#refused(attempt, error, syscall);
    }
    attempt.request = requestScope('TCPCONNECTWRAP', answer);
    // Bound and on its way. Answers come later.
    this.#link.applyRef(answer);
    this.#link.connection = answer;
    attempt.connection = answer;
    if (bindsLate) this.#announce(attempt);
    return null;
  }

  /** By the handle's methods, whoever they are from. */
  #askHandle(attempt: Attempt): Failure | null {
    const { address, family } = attempt.destination;
    const { port } = this.settings;
    const { handle } = this.#link;
    if (handle === null) return null;
    const { localAddress, localPort } = attempt.local;
    const request = {
      oncomplete: attempt.completed,
      address,
      port,
      localAddress,
      localPort,
      addressType: family,
    };
    const number =
      family === 4
        ? handle.connect(request, address, port)
        : handle.connect6(request, address, port);
    if (number) {
      return this.#refused(attempt, nameOfNumber(number), 'connect', ownEnd(handle));
    }
    attempt.connection = this.#link.connection;
    return null;
  }

  /** The connection of an attempt becomes the socket's. */
  succeed({ destination, startTime, sides }: Attempt): void {
    becomeConnected(this.socket, this.#link, sides);
    reportConnect(destination.address, this.settings.port, startTime);
  }

  /** Makes the socket ready for one more attempt, as for a first. */
  renew(): void {
    this.socket._sockname = null;
    // Another attempt has another handle. Ours goes on to it, but for what others put in.
    const { handle } = this.#link;
    if (handle !== null && isReplaced(handle, allMethods)) {
      handle.leave();
      this.#link.handle = null;
      handle.close();
    }
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

  #startError({ destination, local }: Attempt): Failure | null {
    const { localAddress, localPort } = local;
    if (this.#isBlocked(destination)) {
      return { error: ipBlocked(destination.address), attempted: false };
    }
    const isForeign = localAddress !== undefined && isIP(localAddress) !== destination.family;
    if (isForeign && !this.#isAsked()) {
      return this.#refused({ destination, local }, 'EINVAL', 'bind');
    }
    if (isOtherPort(localPort) && !this.#isAsked()) {
      return this.#refused({ destination, local }, 'EADDRINUSE', 'bind');
    }
    if (this.#link.connection === null) return null;
    // Windows says so of a socket that is still connecting, too.
    const isConnected = this.#link.phase === Phase.Open || process.platform === 'win32';
    const name = isConnected ? 'EISCONN' : 'EALREADY';
    const own = this.#link.connection.localEndpoint();
    const at = typeof own === 'string' ? noAddress : `${own.address}:${own.port}`;
    this.#announce({ destination });
    return this.#refused({ destination, local }, name, 'connect', at);
  }

  #refused(
    { destination, local }: Pick<Attempt, 'destination' | 'local'>,
    name: ErrorName,
    syscall: 'bind' | 'connect',
    boundTo = noAddress,
  ): Failure {
    const { address } = destination;
    const { port } = this.settings;
    if (syscall === 'bind') {
      const at = { address: local.localAddress, port: local.localPort };
      return { error: endpointError(name, 'bind', at), attempted: false };
    }
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
