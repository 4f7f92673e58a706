/** The ports of one environment, and how connections and listeners find one. */
import type { AsyncResource } from 'node:async_hooks';
import { channels } from '../diagnostics/channels';
import type { EngineMessage } from '../diagnostics/messages';
import { ArrivedConnection } from './arrival';
import { prepareCrashReport } from './crash-report';
import {
  errorName,
  fastCopy,
  type Binding,
  type NativePortGroup,
  type PortSettings,
} from './binding';
import { TcpConnection } from './connection';
import type {
  Adoption,
  ConnectFailure,
  ConnectSettings,
  Connection,
  ConnectionOwner,
  DatagramOwner,
  DatagramSettings,
  DatagramSocket,
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
import type { TrafficClass } from '../traffic-class';

/** What a port is to serve, and how it is to be opened. */
export interface PortToOpen {
  readonly classes: readonly TrafficClass[];
  readonly settings: PortSettings;
}

export class PortTransport implements Transport {
  /** Those of streams first. */
  readonly ports: Port[] = [];
  /** By the class of what they serve; one for each at least. */
  readonly #portsOf: Readonly<Record<TrafficClass, Port[]>>;
  readonly #binding: Binding;
  /** Keeps the ports alive. */
  readonly #group: NativePortGroup;
  readonly #context: PortContext;
  readonly #arrival = new ArrivedConnection();

  /** Opens these ports; throws an Error whose `code` is the error's name. */
  constructor(binding: Binding, ports: readonly PortToOpen[]) {
    this.#binding = binding;
    this.#group = new binding.PortGroup();
    this.#context = {
      layout: fastCopy(binding.layout),
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
    for (const port of ports) this.#open(port);
    const serving = (one: TrafficClass): Port[] =>
      this.ports.filter(({ classes }) => classes.includes(one));
    this.#portsOf = {
      stream: serving('stream'),
      datagram: serving('datagram'),
      broadcast: serving('broadcast'),
      multicast: serving('multicast'),
    };
    beforeEnd(() =>
      this.ports.forEach((port) => {
        port.datagrams?.outbox.flush();
        port.handOver();
      }),
    );
  }

  #open({ classes, settings }: PortToOpen): void {
    const native = this.#group.add(settings);
    if (typeof native === 'string') {
      throw Object.assign(new Error(`cannot open a completion port: ${native}`), { code: native });
    }
    this.ports.push(
      new Port(fastCopy(native), this.#context, settings, classes, this.ports.length),
    );
  }

  /** For those who listen on `iocp-net:engine`. */
  tellOpened(
    backend: EngineMessage['backend'],
    requested: EngineMessage['requested'],
    refusals: readonly string[],
  ): void {
    if (!channels.engine.hasSubscribers) return;
    const drivers = this.ports.map(({ driver }) => driver);
    const [driver = 'loop'] = drivers;
    const ports = drivers.length;
    channels.engine.publish({ backend, requested, refusals, ports, driver, drivers });
  }

  listen(settings: ListenSettings, owner: ListenerOwner): Listener | ErrorName {
    const port = this.#leastLoaded('stream');
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
    const port = this.#leastLoaded('stream');
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
    const port = this.#leastLoaded('stream');
    const id = port.native.listenLocal(settings.path, settings.backlog);
    if (typeof id === 'string') return id;
    return new TcpListener(port, id, owner, 'local');
  }

  connectLocal(
    path: string,
    owner: ConnectionOwner,
    scope?: AsyncResource,
  ): Connection | ErrorName {
    const port = this.#leastLoaded('stream');
    const id = port.native.connectLocal(path);
    if (typeof id === 'string') return id;
    const connection = new TcpConnection(port, id, undefined, 'local', scope);
    connection.owner = owner;
    port.submitNow(this.#context.layout.opcodes.connect, 0, id);
    return connection;
  }

  adoptConnection({ handle, duplicate }: Adoption): Connection | ErrorName {
    const port = this.#leastLoaded('stream');
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
    const port = this.#leastLoaded('stream');
    const adopted = port.native.adoptListener(handle, duplicate, backlog);
    if (typeof adopted === 'string') return adopted;
    return new TcpListener(port, adopted.id, owner, adopted.kind, true);
  }

  bindDatagrams(settings: DatagramSettings, owner: DatagramOwner): DatagramSocket | ErrorName {
    const port = this.#leastLoaded(settings.trafficClass);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- few programs have any
    const { datagramsOf } = require('./port-datagrams') as typeof import('./port-datagrams');
    return datagramsOf(port)?.bind(settings, owner) ?? 'ENOMEM';
  }

  hasDatagrams(fd: number): boolean {
    return this.ports.some(({ datagrams }) => datagrams?.serves(fd) === true);
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

  hasChildren(): boolean {
    return this.#binding.hasChildren();
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
    if (listener === undefined || !listener.takesAccepted) {
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

  #leastLoaded(serving: TrafficClass): Port {
    return this.#portsOf[serving].reduce((least, port) => (port.size < least.size ? port : least));
  }
}
