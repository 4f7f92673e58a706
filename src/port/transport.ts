/** The ports of one environment, and how connections and listeners find one. */
import type { AsyncResource } from 'node:async_hooks';
import { channels } from '../diagnostics/channels';
import type { EngineMessage } from '../diagnostics/messages';
import { ArrivedConnection } from './arrival';
import { prepareCrashReport } from './crash-report';
import { errorName, type Binding, type NativePortGroup, type PortSettings } from './binding';
import { TcpConnection } from './connection';
import type {
  Adoption,
  ConnectFailure,
  ConnectSettings,
  Connection,
  ConnectionOwner,
  ErrorName,
  Listener,
  ListenerOwner,
  ListenSettings,
  LocalListenSettings,
  Transport,
} from './contract';
import { TcpListener } from './listener';
import { Port, type PortContext } from './port';
import { beforeEnd } from './process-end';
import type { PortListener } from './served';

export class PortTransport implements Transport {
  readonly ports: Port[] = [];
  /** Who drives the ports, but for what a helper does. */
  readonly #driver: PortSettings['driving'];
  readonly #binding: Binding;
  /** Keeps the ports alive. */
  readonly #group: NativePortGroup;
  readonly #context: PortContext;
  readonly #arrival = new ArrivedConnection();

  /** Opens `count` ports; throws an Error whose `code` is the error's name. */
  constructor(binding: Binding, settings: PortSettings, cores: readonly number[], count: number) {
    this.#binding = binding;
    this.#driver = settings.driving;
    this.#group = new binding.PortGroup();
    this.#context = {
      layout: binding.layout,
      addressOf: binding.addressOf,
      fatalException: (error) => {
        prepareCrashReport(error);
        binding.fatalException(error);
      },
      accepted: (port, listenerPort, listenerId, socketId) =>
        this.#accepted(port, listenerPort, listenerId, socketId),
      acceptFailed: (listenerPort, listenerId, result) =>
        this.#acceptFailed(listenerPort, listenerId, result),
    };
    for (let ordinal = 0; ordinal < count; ordinal++) {
      this.#open({ ...settings, core: cores[ordinal] ?? -1 });
    }
    beforeEnd(() => this.ports.forEach((port) => port.handOver()));
  }

  #open(settings: PortSettings): void {
    const native = this.#group.add(settings);
    if (typeof native === 'string') {
      throw Object.assign(new Error(`cannot open a completion port: ${native}`), { code: native });
    }
    this.ports.push(new Port(native, this.#context, settings, this.ports.length));
  }

  /** For those who listen on `iocp-net:engine`. */
  tellOpened(
    backend: EngineMessage['backend'],
    requested: EngineMessage['requested'],
    refusals: readonly string[],
  ): void {
    if (!channels.engine.hasSubscribers) return;
    const ports = this.ports.length;
    channels.engine.publish({ backend, requested, refusals, ports, driver: this.#driver });
  }

  listen(settings: ListenSettings, owner: ListenerOwner): Listener | ErrorName {
    const port = this.#leastLoaded();
    const id = port.native.listen(
      settings.address,
      settings.port,
      settings.backlog,
      settings.ipv6Only,
      settings.reusePort,
    );
    if (typeof id === 'string') return id;
    return new TcpListener(port, id, owner);
  }

  connect(settings: ConnectSettings, owner: ConnectionOwner): Connection | ConnectFailure {
    const port = this.#leastLoaded();
    const { localAddress = '', localPort = 0, scope } = settings;
    const id = port.native.connect(settings.address, settings.port, localAddress, localPort);
    if (typeof id === 'string') {
      return { error: id, syscall: localAddress === '' ? 'connect' : 'bind' };
    }
    const connection = new TcpConnection(port, id, undefined, 'tcp', scope);
    connection.owner = owner;
    port.submitNow(this.#context.layout.opcodes.connect, 0, id);
    return connection;
  }

  listenLocal(settings: LocalListenSettings, owner: ListenerOwner): Listener | ErrorName {
    const port = this.#leastLoaded();
    const id = port.native.listenLocal(settings.path, settings.backlog);
    if (typeof id === 'string') return id;
    return new TcpListener(port, id, owner, 'local');
  }

  connectLocal(
    path: string,
    owner: ConnectionOwner,
    scope?: AsyncResource,
  ): Connection | ErrorName {
    const port = this.#leastLoaded();
    const id = port.native.connectLocal(path);
    if (typeof id === 'string') return id;
    const connection = new TcpConnection(port, id, undefined, 'local', scope);
    connection.owner = owner;
    port.submitNow(this.#context.layout.opcodes.connect, 0, id);
    return connection;
  }

  adoptConnection({ handle, duplicate }: Adoption): Connection | ErrorName {
    const port = this.#leastLoaded();
    const adopted = port.native.adoptConnection(handle, duplicate);
    if (typeof adopted === 'string') return adopted;
    const { id, kind } = adopted;
    const connection = new TcpConnection(port, id, 'adopted', kind);
    port.submitNow(this.#context.layout.opcodes.connect, 0, id);
    return connection;
  }

  adoptListener(
    { handle, duplicate }: Adoption,
    { backlog }: Pick<ListenSettings, 'backlog'>,
    owner: ListenerOwner,
  ): Listener | ErrorName {
    const port = this.#leastLoaded();
    const adopted = port.native.adoptListener(handle, duplicate, backlog);
    if (typeof adopted === 'string') return adopted;
    return new TcpListener(port, adopted.id, owner, adopted.kind);
  }

  openShared({
    address,
    port,
    backlog,
    ipv6Only,
  }: Pick<ListenSettings, 'address' | 'port' | 'backlog' | 'ipv6Only'>): number | ErrorName {
    return this.#binding.openListener(address, port, backlog, ipv6Only);
  }

  shareWith(handle: number, processId: number): Buffer | ErrorName {
    return this.#binding.share(handle, processId);
  }

  takeShared(token: Uint8Array): number | ErrorName {
    return this.#binding.takeShared(token);
  }

  closeHandle(handle: number): void {
    this.#binding.closeHandle(handle);
  }

  waitedMs(): number {
    return this.ports.reduce((sum, port) => sum + port.waitedMs, 0);
  }

  callWithImmediates(callback: () => void): void {
    if (!this.#binding.callWithImmediates(callback)) process.nextTick(callback);
  }

  fatalException(error: unknown): void {
    this.#context.fatalException(error);
  }

  connections(): Connection[] {
    return this.ports.flatMap(({ connections }) => [...connections]);
  }

  listeners(): Listener[] {
    return this.ports.flatMap(({ listeners }) => [...listeners]);
  }

  #accepted(port: Port, listenerPort: number, listenerId: number, socketId: number): void {
    const listener = this.ports[listenerPort]?.listener(listenerId);
    if (listener === undefined || !listener.listening) {
      // The server closed meanwhile: as the kernel does with what is left in a closed backlog.
      const { opcodes, closeReset } = this.#context.layout;
      port.submit(opcodes.close, closeReset, socketId);
      return;
    }
    if (listener.owner.isSelective && !this.#admits(listener, port, socketId)) return;
    const connection = new TcpConnection(port, socketId, listener, listener.kind);
    port.newcomer = connection;
    this.#callIn(listener, () => listener.owner.onAccept(connection));
  }

  /** Asked before there is an object for the connection: who is turned away is to cost little. */
  #admits(listener: PortListener, port: Port, socketId: number): boolean {
    const arrival = this.#arrival;
    arrival.set(port, socketId, listener.kind);
    let isAdmitted = false;
    this.#callIn(listener, () => (isAdmitted = listener.owner.admits(arrival)));
    // Who throws admits nobody.
    if (!isAdmitted) arrival.close(false);
    return isAdmitted;
  }

  #acceptFailed(listenerPort: number, listenerId: number, result: number): void {
    const listener = this.ports[listenerPort]?.listener(listenerId);
    if (listener === undefined || !listener.listening) return;
    const error = errorName(this.#context.layout, result);
    this.#callIn(listener, () => listener.owner.onAcceptError(error));
  }

  /** What the owner throws is reported from within the listener's scope. */
  #callIn(listener: PortListener, call: () => void): void {
    listener.runInAsyncScope(() => {
      try {
        call();
      } catch (error) {
        this.fatalException(error);
      }
    });
  }

  #leastLoaded(): Port {
    return this.ports.reduce((least, port) => (port.size < least.size ? port : least));
  }
}
