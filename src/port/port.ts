/**
 * One port, on the JavaScript side: submits for its connections, and hands each completion to the
 * connection it belongs to. The other side of the rings is `deps/completion-port/src/port_core.cc`.
 *
 * Mostly the event loop drives the port, that is this thread: what is submitted is done by a plain
 * call, or when the loop comes around. Now and then, or always where the engine is configured so, a
 * thread drives; then what is submitted reaches it through the ring, and it is woken if it sleeps.
 */
import { setImmediate as nodeSetImmediate } from 'node:timers';
import { errorName, type Layout, type NativePort, type PortSettings } from './binding';
import { BulkMemory } from './bulk-memory';
import type { DoneCallback, ErrorName } from './contract';
import { operationCounters } from './counters';
import { Dispatch, type DispatchedPort, type Owed } from './dispatch';
import { DriveWatch } from './drive-watch';
import { Gathering, type Gathered } from './gathering';
import { ReceiveSlab } from './receive-slab';
import { CompletionRing, SubmissionRing } from './ring';
import { SendRequestPool } from './send-request';
import { SendSlab } from './send-slab';
import type { PortConnection, PortListener, ServedDatagrams } from './served';
import { Slots } from './slots';
import { waitAMoment } from './wait';
import type { Driver } from '../diagnostics/messages';
import type { TrafficClass } from '../traffic-class';

/** Node's, whatever a test's fake timers put in its place later. */
const setImmediate = nodeSetImmediate;
const nextTick = process.nextTick;

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

export class Port implements DispatchedPort {
  readonly slab: SendSlab;
  readonly received: ReceiveSlab;
  readonly requests = new SendRequestPool();
  readonly bulk = new BulkMemory();
  readonly gathering = new Gathering();
  readonly counters: BigUint64Array;
  /** Who drives it, but for what a helper does. */
  readonly driver: Driver;
  /** It has no connections. */
  readonly isForDatagrams: boolean;
  readonly #submissions: SubmissionRing;
  readonly #completions: CompletionRing;
  readonly #connections: Slots<PortConnection>;
  readonly #listeners: Slots<PortListener>;
  readonly #dispatch: Dispatch;
  readonly #driveWatch: DriveWatch;
  readonly #wakeAtTick = (): void => this.wakeThread();
  #wake = Wake.None;
  #references = 0;
  readonly #closed = new Map<number, bigint>();
  #isBacklogFollowed = false;
  /** Accepted by the completion that is being dispatched: it is not read from before that is over. */
  newcomer: PortConnection | null = null;
  /** Connections on this port. */
  size = 0;
  /** Its datagram sockets; null before the first. */
  datagrams: ServedDatagrams | null = null;

  constructor(
    readonly native: NativePort,
    readonly context: PortContext,
    settings: PortSettings,
    /** What it serves. */
    readonly classes: readonly TrafficClass[],
    ordinal: number,
  ) {
    const { layout } = context;
    this.isForDatagrams = !classes.includes('stream');
    this.driver = settings.driving === 'thread' ? 'thread' : 'loop';
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
    this.#driveWatch = new DriveWatch(ordinal, layout, this.counters);
    this.#dispatch = new Dispatch(this, this.#submissions, this.#completions);
    native.deliverTo(this.#dispatch.deliver);
  }

  // --- Submitting ---------------------------------------------------------------------------------

  /** For the next turn, whoever takes it. */
  submit(opcode: number, flags: number, id: number, arg0 = 0, arg1 = 0, arg2 = 0, arg3 = 0): void {
    const submissions = this.#submissions;
    submissions.write(opcode, flags, id, arg0, arg1, arg2, arg3);
    if (submissions.full) this.makeRoom();
    if (!this.#dispatch.isRunning && submissions.threadDrives) this.#wakeInTick();
  }

  /** Done now, if it can be: before this returns, or at the end of the dispatch under way. */
  submitNow(opcode: number, flags: number, id: number, arg0 = 0): void {
    this.submit(opcode, flags, id, arg0);
    if (!this.#dispatch.isRunning) this.handOver();
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
    return this.#dispatch.isRunning && this.#submissions.offloads;
  }

  /** Whether this write is to be gathered with others: submitted, but not handed over. */
  gathers(writer: Gathered): boolean {
    if (!this.#dispatch.isRunning) return false;
    return this.gathering.gathers(writer, this.#dispatch.mayHoldBack);
  }

  /**
   * Closes a listener or a datagram socket, as Node closes it in `close()`. False where that takes a
   * while (Windows, and a thread that drives); its completion says when, in any case.
   */
  closeNow(opcode: number, id: number): boolean {
    this.submit(opcode, 0, id);
    this.handOver();
    const wanted = (this.#closed.get(opcode) ?? 0n) + 1n;
    this.#closed.set(opcode, wanted);
    const { completed } = operationCounters(this.context.layout, opcode);
    const isClosed = (): boolean => Atomics.load(this.counters, completed) >= wanted;
    return isClosed() || (this.#submissions.threadDrives && waitAMoment(isClosed));
  }

  #wakeInTick(): void {
    if (this.#wake !== Wake.None) return;
    this.#wake = Wake.Ticked;
    nextTick.call(process, this.#wakeAtTick);
  }

  wakeThread(): void {
    this.#wake = Wake.None;
    if (this.#submissions.takeSleeper()) this.native.wake();
  }

  /** The ring is full. Where a thread drives, it has to be waited for. */
  makeRoom(): void {
    this.handOver();
    this.#submissions.writeBacklog();
    if (!this.#submissions.full || this.#isBacklogFollowed) return;
    this.#isBacklogFollowed = true;
    setImmediate(() => {
      this.#isBacklogFollowed = false;
      this.makeRoom();
    });
  }

  // --- Completions --------------------------------------------------------------------------------

  fatalException(error: unknown): void {
    this.context.fatalException(error);
  }

  lookWhoDrives(): void {
    this.#driveWatch.look(this.#submissions.threadDrives ? 'thread' : 'loop');
  }

  deliverSoon(): void {
    this.native.deliverSoon();
  }

  /** Something waits in the connection to be delivered, in a callback of its own, soon. */
  owe(to: Owed): void {
    const isFirst = this.#dispatch.owe(to);
    if (isFirst && !this.#dispatch.isRunning) this.deliverSoon();
  }

  /** Not of one that is closing: nobody is told, and what it holds is given back before the end. */
  readonly isArrival = (opcode: number, id: number): boolean =>
    opcode === this.context.layout.opcodes.receive && this.#connections.find(id)?.reading === true;

  isForNative({ opcode, id, result }: CompletionRing): boolean {
    const isData = opcode === this.context.layout.opcodes.receive && result >= 0;
    return isData && this.#connections.find(id)?.isNative === true;
  }

  /**
   * Of sends that were answered when they were submitted nobody has to be told; datagrams are
   * delivered later.
   */
  completeQuietly({ opcode, id, result, arg0 }: CompletionRing): boolean {
    if (result < 0) return false;
    const { send, awaitReadable } = this.context.layout.opcodes;
    if (opcode === awaitReadable) {
      this.datagrams?.noteReadable(id);
      return true;
    }
    if (opcode !== send) return false;
    const connection = this.#connections.find(id);
    if (connection === undefined) return true;
    if (!connection.isAnswered) return false;
    connection.completeSend(result, arg0, 0);
    return true;
  }

  complete(completion: CompletionRing): void {
    const { opcodes } = this.context.layout;
    const { id, result, arg0, arg1 } = completion;
    if (completion.opcode === opcodes.accept) return this.#completeAccept(id, result, arg0, arg1);
    if (completion.opcode === opcodes.closeListener) return this.#completeCloseListener(id);
    if (this.datagrams?.complete(completion)) return;
    const connection = this.#connections.find(id);
    switch (completion.opcode) {
      case opcodes.receive:
        if (connection !== undefined) return connection.completeReceive(result, arg0, arg1);
        if (result > 0) this.submit(opcodes.release, 0, id, arg0, 0);
        return;
      case opcodes.send:
        return connection?.completeSend(result, arg0, arg1);
      case opcodes.connect:
        return connection?.completeConnect(result);
      case opcodes.shutdown:
        return connection?.completeShutdown(result);
      case opcodes.linger:
        return this.#tellOver(connection);
      case opcodes.close:
        if (connection === undefined) return;
        this.#connections.delete(id);
        this.size--;
        return this.#tellClosed(connection);
    }
  }

  #completeAccept(
    listenerId: number,
    result: number,
    socketId: number,
    listenerPort: number,
  ): void {
    if (result < 0) this.context.acceptFailed(listenerPort, listenerId, result);
    else this.context.accepted(this, listenerPort, listenerId, socketId);
  }

  #completeCloseListener(id: number): void {
    const listener = this.listener(id);
    if (listener === undefined) return;
    this.#listeners.delete(id);
    this.#tellClosed(listener);
  }

  // In functions of their own: a closure in `complete` would cost memory with every completion.
  #tellClosed(closed: PortConnection | PortListener): void {
    this.#dispatch.close({ isNative: false, deliverHeld: () => closed.completeClose() });
  }

  #tellOver(connection: PortConnection | undefined): void {
    if (connection === undefined) return;
    this.#dispatch.close({ isNative: false, deliverHeld: () => connection.completeLinger() });
  }

  get isDispatching(): boolean {
    return this.#dispatch.isRunning;
  }

  /** A dispatch is under way, and has more to deliver. */
  get othersFollow(): boolean {
    return this.#dispatch.othersFollow;
  }

  get holdsDatagrams(): boolean {
    return this.datagrams?.outbox.isEmpty === false;
  }

  sendDatagrams(): void {
    this.datagrams?.outbox.endDispatch();
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
    if (this.native.hasUnread(id)) return true;
    let isThere = false;
    this.#completions.peek(opcodes.receive, id, () => (isThere = true));
    return isThere;
  }

  /**
   * Credit that is on its way back to a connection whose receives were withdrawn; NaN where
   * something else is on its way, too.
   */
  withdrawnCredit(id: number): number {
    let credit = 0;
    this.#completions.peek(this.context.layout.opcodes.receive, id, (result, withdrawn) => {
      credit += errorName(this.context.layout, result) === 'ECANCELED' ? withdrawn : NaN;
    });
    return credit;
  }

  // --- Who is here --------------------------------------------------------------------------------

  /** Time that the event loop has waited here, in milliseconds. */
  get waitedMs(): number {
    const index = this.context.layout.counters.indexOf('waitedNs');
    return Number(this.counters[index] ?? 0n) / 1e6;
  }

  addConnection(connection: PortConnection): void {
    this.#connections.add(connection);
    this.size++;
  }

  addListener(listener: PortListener): void {
    this.#listeners.add(listener);
  }

  listener(id: number): PortListener | undefined {
    return this.#listeners.find(id);
  }

  get connections(): Iterable<PortConnection> {
    return this.#connections;
  }

  get listeners(): Iterable<PortListener> {
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
