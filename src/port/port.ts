/**
 * One port, on the JavaScript side: submits for its connections, and hands each completion to the
 * connection it belongs to. The other side of the rings is `deps/completion-port/src/port_core.cc`.
 *
 * Mostly the event loop drives the port, that is this thread: what is submitted is done by a plain
 * call, or when the loop comes around. Now and then, or always where the engine is configured so, a
 * thread drives; then what is submitted reaches it through the ring, and it is woken if it sleeps.
 */
import { setImmediate as nodeSetImmediate } from 'node:timers';
import type { Layout, NativePort, PortSettings } from './binding';
import type { TcpConnection } from './connection';
import type { ConnectionWriter } from './connection-writer';
import type { DoneCallback, ErrorName } from './contract';
import type { TcpListener } from './listener';
import { BulkMemory } from './bulk-receives';
import { operationCounters } from './counters';
import { Gathering } from './gathering';
import { ReceiveSlab } from './receive-slab';
import { CompletionRing, SubmissionRing } from './ring';
import { SendRequestPool } from './send-request';
import { SendSlab } from './send-slab';
import { Slots } from './slots';
import { canRunTicks, runTicks } from './ticks';
import { waitAMoment } from './wait';

/** Node's, whatever a test's fake timers put in their place later. */
const setImmediate = nodeSetImmediate;
const nextTick = process.nextTick;
const now = performance.now.bind(performance);

/** Completions per turn of the event loop; then timers and other I/O have their turn. */
const DISPATCH_LIMIT = canRunTicks ? 1024 : 1;
/** How long a turn may take, in milliseconds, before it is looked at. */
const DISPATCH_MS = 5;
/**
 * Completions after which that is looked at, and a thread that drives is told of what was submitted
 * meanwhile. A new connection may have cost so much that it is looked at after each.
 */
const LOOK_INTERVAL = 4;

/** What the ports of an environment share. */
export interface PortContext {
  readonly layout: Layout;
  /** Where what a listener throws goes: `'uncaughtException'`. */
  fatalException(error: unknown): void;
  /** Takes a new connection, by the ordinal of the listener's port and the listener's id. */
  accepted(port: Port, listenerPort: number, listenerId: number, socketId: number): void;
  acceptFailed(listenerPort: number, listenerId: number, result: number): void;
  addressOf(bytes: Uint8Array, words: Uint32Array): void;
}

/** Who will tell a thread that drives of what was submitted. */
enum Wake {
  /** Nothing was submitted since it was told. */
  None,
  /** `process.nextTick` will. */
  Ticked,
}

/** How what comes next is to be delivered; the numbers are the binding's too (`native_port.h`). */
enum Next {
  Nothing,
  /** In a callback scope of Node's. */
  Scoped,
  /** In none: it makes its own. */
  Bare,
}

export class Port {
  readonly slab: SendSlab;
  readonly received: ReceiveSlab;
  readonly requests = new SendRequestPool();
  readonly bulk = new BulkMemory();
  readonly gathering = new Gathering();
  readonly counters: BigUint64Array;
  readonly #submissions: SubmissionRing;
  readonly #completions: CompletionRing;
  readonly #connections: Slots<TcpConnection>;
  readonly #listeners: Slots<TcpListener>;
  readonly #wakeAtTick = (): void => this.#wakeThread();
  #wake = Wake.None;
  #isDispatching = false;
  /** Completions that this dispatch has yet to read. */
  #left = 0;
  #begun = 0;
  #isHelped = false;
  /** The ring's current completion was read and not dispatched. */
  #isRead = false;
  /** Have something to deliver that came before. */
  #owed: TcpConnection[] | null = null;
  #references = 0;
  #listenersClosed = 0;
  #isBacklogFollowed = false;
  /** Accepted by the completion that is being dispatched: it is not read from before that is over. */
  newcomer: TcpConnection | null = null;
  /** Connections on this port. */
  size = 0;

  constructor(
    readonly native: NativePort,
    readonly context: PortContext,
    settings: PortSettings,
  ) {
    const { layout } = context;
    this.#connections = new Slots(layout.indexMask);
    this.#listeners = new Slots(layout.indexMask);
    this.slab = new SendSlab(native.sendSlab);
    this.received = new ReceiveSlab(native.receiveSlab);
    this.#submissions = new SubmissionRing(layout, native.ring, settings.submissionEntries);
    this.#completions = new CompletionRing(
      layout,
      native.ring,
      settings.submissionEntries,
      settings.completionEntries,
    );
    const countersAt = native.ring.offset + layout.countersOffset;
    this.counters = new BigUint64Array(
      native.ring.buffer,
      countersAt,
      (layout.submissionsOffset - layout.countersOffset) >> 3,
    );
    native.deliverTo(this.deliver);
  }

  // --- Submitting ---------------------------------------------------------------------------------

  /** For the next turn, whoever takes it. */
  submit(opcode: number, flags: number, id: number, arg0 = 0, arg1 = 0, arg2 = 0): void {
    const submissions = this.#submissions;
    submissions.write(opcode, flags, id, arg0, arg1, arg2);
    if (submissions.full) this.#makeRoom();
    if (!this.#isDispatching && submissions.threadDrives) this.#wakeInTick();
  }

  /** Done now, if it can be: before this returns, or at the end of the dispatch under way. */
  submitNow(opcode: number, flags: number, id: number, arg0 = 0): void {
    this.submit(opcode, flags, id, arg0);
    if (!this.#isDispatching) this.handOver();
  }

  /**
   * What was submitted is done as far as that can be at once; or the thread that drives is woken.
   * True if all is sent that the connection `id` has submitted.
   */
  handOver(id = 0): boolean {
    this.gathering.end();
    return this.native.submit(id);
  }

  /** Whether what this dispatch sends goes through the ring, to a thread that has time for it. */
  get offloads(): boolean {
    return this.#isDispatching && this.#submissions.offloads;
  }

  /** Whether this write is to be gathered with others: submitted, but not handed over. */
  gathers(writer: ConnectionWriter): boolean {
    if (!this.#isDispatching) return false;
    return this.gathering.gathers(writer, this.#left > 0 && this.#isHelped);
  }

  /**
   * Closes a listener, as `node:net` closes it in `server.close()`. False where that takes a while
   * (Windows, and a thread that drives); its completion says when, in any case.
   */
  closeListener(id: number): boolean {
    const { layout } = this.context;
    const { closeListener } = layout.opcodes;
    this.submit(closeListener, 0, id);
    this.handOver();
    const wanted = BigInt(++this.#listenersClosed);
    const { completed } = operationCounters(layout, closeListener);
    const isClosed = (): boolean => Atomics.load(this.counters, completed) >= wanted;
    return isClosed() || (this.#submissions.threadDrives && waitAMoment(isClosed));
  }

  #wakeInTick(): void {
    if (this.#wake !== Wake.None) return;
    this.#wake = Wake.Ticked;
    nextTick.call(process, this.#wakeAtTick);
  }

  #wakeThread(): void {
    this.#wake = Wake.None;
    if (this.#submissions.takeSleeper()) this.native.wake();
  }

  /** The ring is full. Where a thread drives, it has to be waited for. */
  #makeRoom(): void {
    this.handOver();
    this.#submissions.writeBacklog();
    if (!this.#submissions.full || this.#isBacklogFollowed) return;
    this.#isBacklogFollowed = true;
    setImmediate(() => {
      this.#isBacklogFollowed = false;
      this.#makeRoom();
    });
  }

  // --- Dispatching --------------------------------------------------------------------------------

  /**
   * Delivers the completions that there are, once in a round of the event loop. What comes meanwhile
   * waits for the next: programs expect that a `setImmediate()` made in a callback runs before the
   * next callback that the network can cause (with a connection to itself, Node's own tests do).
   *
   * The binding calls it in a callback scope of Node's, or in none (`isBare`), and again as often as
   * the answer says in which the next completion wants to be delivered.
   */
  readonly deliver = (isBare: boolean): Next => {
    if (!this.#isDispatching) this.#begin();
    for (;;) {
      const next = this.#next();
      if (next === Next.Nothing) break;
      if (isBare !== (next === Next.Bare)) return next;
      this.#dispatchOne(isBare);
    }
    this.#end();
    return Next.Nothing;
  };

  #begin(): void {
    this.#isDispatching = true;
    this.#left = Math.min(DISPATCH_LIMIT, this.#completions.ready);
    this.#begun = this.#left > 1 ? now() : 0;
    this.#isHelped = this.#left > 1 && this.#submissions.isHelped;
  }

  #end(): void {
    if (this.gathering.isWaiting) this.#sendGathered();
    this.#releaseCompletions();
    this.#isDispatching = false;
    if (this.#submissions.full) this.#makeRoom();
  }

  /** Mostly that completes at once: what nobody waits for needs no turn of its own. */
  #sendGathered(): void {
    this.handOver();
    while (this.#completions.next()) {
      if (this.#completeQuietly()) continue;
      this.#completions.putBack();
      return;
    }
  }

  /** Of sends that were answered when they were submitted nobody has to be told. */
  #completeQuietly(): boolean {
    const { opcode, id, result, arg0 } = this.#completions;
    if (opcode !== this.context.layout.opcodes.send || result < 0) return false;
    const connection = this.#connections.find(id);
    if (connection === undefined) return true;
    if (!connection.isAnswered) return false;
    connection.completeSend(result, arg0);
    return true;
  }

  /** What comes next, and how it is to be called: what is owed, then the next completion. */
  #next(): Next {
    if (this.#owed !== null) return this.#owed[0]?.isNative ? Next.Bare : Next.Scoped;
    while (!this.#isRead) {
      if (this.#left === 0 || !this.#completions.next()) return Next.Nothing;
      this.#left--;
      this.#isRead = !this.#completeQuietly();
    }
    const { opcode, id, result } = this.#completions;
    const isData = opcode === this.context.layout.opcodes.receive && result >= 0;
    return isData && this.#connections.find(id)?.isNative === true ? Next.Bare : Next.Scoped;
  }

  /** The room of what was read is the port's again; and a thread learns of what was submitted. */
  #releaseCompletions(): void {
    const isRoomWanted = this.#completions.release();
    if (isRoomWanted || this.#submissions.threadDrives) this.#wakeThread();
  }

  #look(): void {
    if (this.#left > 0 && now() - this.#begun > DISPATCH_MS) this.#left = 0;
    if (this.#submissions.threadDrives) this.#releaseCompletions();
  }

  /** One completion, then the ticks and microtasks it caused, then what it has answered. */
  #dispatchOne(isBare: boolean): void {
    const owed = this.#owed === null ? null : this.#takeOwed();
    try {
      if (owed !== null) owed.deliverHeld();
      else this.#dispatch(this.#completions);
    } catch (error) {
      this.context.fatalException(error);
    }
    if (owed === null) {
      this.#isRead = false;
      if (this.#left % LOOK_INTERVAL === 0 || this.newcomer !== null) this.#look();
    }
    // Native code has run them at the end of its own callbacks.
    if (!isBare) this.#runTicks();
    this.gathering.next();
    const { newcomer } = this;
    if (newcomer === null) return;
    this.newcomer = null;
    newcomer.beginReading();
  }

  #runTicks(): void {
    try {
      runTicks();
    } catch (error) {
      this.context.fatalException(error);
    }
  }

  #takeOwed(): TcpConnection | null {
    const owed = this.#owed?.shift() ?? null;
    if (this.#owed?.length === 0) this.#owed = null;
    return owed;
  }

  /** Something waits in the connection to be delivered, in a callback of its own, soon. */
  owe(connection: TcpConnection): void {
    this.#owed ??= [];
    if (this.#owed.includes(connection)) return;
    this.#owed.push(connection);
    if (!this.#isDispatching) this.native.deliverSoon();
  }

  #dispatch(completion: CompletionRing): void {
    const { opcodes } = this.context.layout;
    const { id, result, arg0, arg1 } = completion;
    if (completion.opcode === opcodes.accept) return this.#dispatchAccept(id, result, arg0, arg1);
    if (completion.opcode === opcodes.closeListener) return this.#dispatchCloseListener(id);
    const connection = this.#connections.find(id);
    switch (completion.opcode) {
      case opcodes.receive:
        if (connection !== undefined) return connection.completeReceive(result, arg0, arg1);
        if (result > 0) this.submit(opcodes.release, 0, id, arg0, 0);
        return;
      case opcodes.send:
        return connection?.completeSend(result, arg0);
      case opcodes.connect:
        return connection?.completeConnect(result);
      case opcodes.shutdown:
        return connection?.completeShutdown(result);
      case opcodes.linger:
        return connection?.completeLinger();
      case opcodes.close:
        if (connection === undefined) return;
        this.#connections.delete(id);
        this.size--;
        return connection.completeClose();
    }
  }

  #dispatchAccept(
    listenerId: number,
    result: number,
    socketId: number,
    listenerPort: number,
  ): void {
    if (result < 0) this.context.acceptFailed(listenerPort, listenerId, result);
    else this.context.accepted(this, listenerPort, listenerId, socketId);
  }

  #dispatchCloseListener(id: number): void {
    const listener = this.listener(id);
    if (listener === undefined) return;
    this.#listeners.delete(id);
    listener.completeClose();
  }

  /** Calls back. What that throws costs nothing that is owed to others. */
  answer(done: DoneCallback, error: ErrorName | null): void {
    try {
      done(error);
    } catch (thrown) {
      this.context.fatalException(thrown);
    }
  }

  /** Whether something has arrived on a connection that it was not told of. */
  hasUnread(id: number): boolean {
    const { opcodes } = this.context.layout;
    return this.native.hasUnread(id) || this.#completions.has(opcodes.receive, id);
  }

  // --- Who is here --------------------------------------------------------------------------------

  /** Time that the event loop has waited here, in milliseconds. */
  get waitedMs(): number {
    const index = this.context.layout.counters.indexOf('waitedNs');
    return Number(this.counters[index] ?? 0n) / 1e6;
  }

  addConnection(connection: TcpConnection): void {
    this.#connections.add(connection);
    this.size++;
  }

  addListener(listener: TcpListener): void {
    this.#listeners.add(listener);
  }

  listener(id: number): TcpListener | undefined {
    return this.#listeners.find(id);
  }

  get connections(): Iterable<TcpConnection> {
    return this.#connections;
  }

  get listeners(): Iterable<TcpListener> {
    return this.#listeners;
  }

  /** Something that keeps the event loop alive came or went. */
  ref(): void {
    if (++this.#references === 1) this.native.ref();
  }

  unref(): void {
    if (--this.#references === 0) this.native.unref();
  }
}
