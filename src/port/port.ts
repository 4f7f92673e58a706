/**
 * One port, on the JavaScript side: submits for its connections, and hands each completion to the
 * connection it belongs to. The other side of the rings is `deps/completion-port/src/port_core.cc`.
 */
import { setImmediate as nodeSetImmediate, setTimeout as nodeSetTimeout } from 'node:timers';
import type { Layout, NativePortGroup, PortMemory, PortSettings } from './binding';
import type { TcpConnection } from './connection';
import type { DoneCallback, ErrorName } from './contract';
import type { TcpListener } from './listener';
import type { Nursery } from './nursery';
import { operationCounters } from './counters';
import { BYTES_PER_TURN, Readers } from './readers';
import { ReceiveSlab } from './receive-slab';
import { CompletionRing, SubmissionRing } from './ring';
import { SendRequestPool } from './send-request';
import { LARGEST_BLOCK, SendSlab } from './send-slab';
import { Slots } from './slots';
import { canRunTicks, runTicks } from './ticks';
import { waitAMoment } from './wait';

/** Node's, whatever a test's fake timers put in their place later. */
const setImmediate = nodeSetImmediate;
const setTimeout = nodeSetTimeout;

/** Completions per turn of the event loop; then timers and other I/O have their turn. */
const DISPATCH_LIMIT = canRunTicks ? 1024 : 1;
/** Completions after which what was submitted meanwhile is handed to the I/O thread. */
const PUBLISH_INTERVAL = 32;

/**
 * Copied writes per tick or dispatch that JavaScript may send itself. With one message under way,
 * waking the I/O thread to send it costs more than sending; with many, the I/O thread is the point.
 */
const DIRECT_BLOCKS = 2;
/**
 * The same for writes of the caller's memory, in bytes, a millisecond's worth: a stream hands over
 * 64 KiB and waits for the answer, and the hop there and back costs as much as the copy, also to an
 * I/O thread that is awake. What was just received is still in this core's cache, too.
 */
const DIRECT_BYTES = BYTES_PER_TURN;
/** Of larger writes the hop is a small part, and JavaScript is free meanwhile. */
const LARGEST_DIRECT = 128 * 1024;

/** What the ports of an environment share. */
export interface PortContext {
  readonly layout: Layout;
  readonly group: NativePortGroup;
  readonly nursery: Nursery;
  /** Where what a listener throws goes: `'uncaughtException'`. */
  fatalException(error: unknown): void;
  /** Takes a new connection, by the ordinal of the listener's port and the listener's id. */
  accepted(port: Port, listenerPort: number, listenerId: number, socketId: number): void;
  acceptFailed(listenerPort: number, listenerId: number, result: number): void;
}

/** Whether a publish is owed, and by whom. */
enum Flush {
  /** Nothing was submitted since the last publish. */
  None,
  /** `process.nextTick` will publish. */
  Ticked,
  /** The dispatch under way will publish. */
  Dispatching,
}

export class Port {
  readonly slab: SendSlab;
  readonly received: ReceiveSlab;
  readonly requests = new SendRequestPool();
  readonly counters: BigUint64Array;
  readonly #submissions: SubmissionRing;
  readonly #completions: CompletionRing;
  readonly #connections: Slots<TcpConnection>;
  readonly #listeners: Slots<TcpListener>;
  readonly #flushTick = (): void => this.#flushAtTick();
  readonly #nextTurn = (): void => this.#takeTurn();
  readonly #read = (connection: TcpConnection): void => {
    connection.readAgain();
    this.#followUp();
  };
  #flush = Flush.None;
  #references = 0;
  #listenersClosed = 0;
  #isTurnPlanned = false;
  #isBacklogFollowed = false;
  /** Direct sends since the last tick or dispatch began: of blocks, and bytes of the others. */
  #directBlocks = 0;
  #directBytesSent = 0;
  /** Set by a connection that has reads to be dispatched, each by itself. */
  followUp: TcpConnection | null = null;
  readonly readers = new Readers();
  /** Connections on this port. */
  size = 0;

  constructor(
    readonly ordinal: number,
    readonly context: PortContext,
    settings: PortSettings,
    memory: PortMemory,
  ) {
    const { layout } = context;
    this.#connections = new Slots(layout.indexMask);
    this.#listeners = new Slots(layout.indexMask);
    this.slab = new SendSlab(memory.sendSlab);
    this.received = new ReceiveSlab(memory.receiveSlab);
    this.#submissions = new SubmissionRing(layout, memory.ring, settings.submissionEntries);
    this.#completions = new CompletionRing(
      layout,
      memory.ring,
      settings.submissionEntries,
      settings.completionEntries,
    );
    const countersAt = memory.ring.offset + layout.countersOffset;
    this.counters = new BigUint64Array(
      memory.ring.buffer,
      countersAt,
      (layout.submissionsOffset - layout.countersOffset) >> 3,
    );
    this.#completions.sleep();
  }

  // --- Submitting ---------------------------------------------------------------------------------

  submit(opcode: number, flags: number, id: number, arg0 = 0, arg1 = 0, arg2 = 0): void {
    this.#submissions.write(opcode, flags, id, arg0, arg1, arg2);
    if (this.#flush === Flush.None) this.#publishInTick();
  }

  /**
   * Gives a chunk back with its credit. `lastReturn` is what the connection's previous call
   * returned: while the port has taken that one, the connection still has credit there, and a
   * sleeping port may sleep on.
   */
  returnChunk(id: number, chunk: number, lastReturn: number): number {
    const ring = this.#submissions;
    if (!ring.isTaken(lastReturn)) ring.wakeOnPublish();
    const position = ring.writeQuietly(this.context.layout.opcodes.release, id, chunk, 1);
    if (this.#flush === Flush.None) this.#publishInTick();
    return position;
  }

  /**
   * Sends from a block of the slab on this thread, if that is better than waking the I/O thread.
   * Only for a connection without sends under way. Bytes taken, 0 also for 'not now', or minus an
   * error: the ring's send is to meet it again, as it reports in order, and not synchronously.
   */
  sendBlockDirectly(id: number, offset: number, length: number): number {
    if (this.#directBlocks === DIRECT_BLOCKS || !this.#submissions.portSleeps) return 0;
    this.#directBlocks++;
    if (this.#flush === Flush.None) this.#publishInTick();
    return this.context.group.sendBlockNow(this.ordinal, id, offset, length);
  }

  /**
   * The same for memory of the caller's. What a block would hold, if one were free, is worth it on a
   * quiet port only; more, on any.
   */
  sendDirectly(id: number, bytes: Uint8Array): number {
    if (bytes.length > LARGEST_DIRECT || this.#directBytesSent >= DIRECT_BYTES) return 0;
    if (bytes.length <= LARGEST_BLOCK && !this.#submissions.portSleeps) return 0;
    this.#directBytesSent += bytes.length;
    if (this.#flush === Flush.None) this.#publishInTick();
    return this.context.group.sendNow(this.ordinal, id, bytes);
  }

  /**
   * Closes a listener, and waits a moment for its socket to be closed, as `node:net` closes it in
   * `server.close()`. False where that takes longer; its completion says when, in any case.
   */
  closeListener(id: number): boolean {
    const { layout } = this.context;
    const { closeListener } = layout.opcodes;
    this.submit(closeListener, 0, id);
    this.publish();
    const wanted = BigInt(++this.#listenersClosed);
    const { completed } = operationCounters(layout, closeListener);
    return waitAMoment(() => Atomics.load(this.counters, completed) >= wanted);
  }

  #beginDirectSends(): void {
    this.#directBlocks = 0;
    this.#directBytesSent = 0;
  }

  #publishInTick(): void {
    this.#flush = Flush.Ticked;
    process.nextTick(this.#flushTick);
  }

  /** Hands everything submitted to the I/O thread now. */
  publish(): void {
    if (this.#submissions.publish()) this.context.group.wake(this.ordinal);
  }

  #flushAtTick(): void {
    if (this.#flush !== Flush.Ticked) return; // a dispatch has taken over
    this.#flush = Flush.None;
    this.#beginDirectSends();
    this.publish();
    this.#followBacklog();
  }

  /** A full ring: the I/O thread was woken and reads; write on when the loop comes around. */
  #followBacklog(): void {
    if (!this.#submissions.full || this.#isBacklogFollowed) return;
    this.#isBacklogFollowed = true;
    setImmediate(() => {
      this.#isBacklogFollowed = false;
      this.publish();
      this.#followBacklog();
    });
  }

  // --- Dispatching --------------------------------------------------------------------------------

  /** The I/O thread says that there are completions, or the binding that there are more. */
  wake(isMore: boolean): void {
    // Readers have their turn planned, with JavaScript asleep for all others.
    if (isMore || this.#isTurnPlanned) this.#planTurn();
    else this.#drain();
  }

  /**
   * Reads on, or falls asleep, when the event loop comes around. A turn is followed by another until
   * one finds nothing: programs expect that a `setImmediate()` made in a callback runs before the
   * next callback that the network can cause (with a connection to itself, Node's own tests do).
   */
  #planTurn(): void {
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    const turn = setImmediate(this.#nextTurn);
    if (this.#references !== 0) return;
    turn.unref();
    // For an immediate that holds nothing, a loop that something else holds does not come around.
    setTimeout(this.#nextTurn, 1).unref();
  }

  #takeTurn(): void {
    if (!this.#isTurnPlanned) return;
    this.#isTurnPlanned = false;
    if (this.#completions.ready !== 0 || !this.readers.isEmpty) this.#drain();
    else if (this.#completions.sleep()) return;
    this.#planTurn();
  }

  /** Reads the completions that there are. What comes meanwhile waits for the next turn. */
  #drain(): void {
    const completions = this.#completions;
    this.#flush = Flush.Dispatching;
    this.#beginDirectSends();
    this.readers.takeTurn(this.#read);
    const limit = Math.min(DISPATCH_LIMIT, completions.ready);
    for (let taken = 1; taken <= limit && completions.next(); taken++) {
      this.#dispatchOne();
      if (taken % PUBLISH_INTERVAL !== 0) continue;
      this.#releaseCompletions();
      this.publish();
    }
    this.#releaseCompletions();
    this.publish();
    // A tick that was scheduled before this dispatch may still come; it finds nothing to do.
    this.#flush = Flush.None;
    this.#beginDirectSends();
    this.#followBacklog();
    // Not before: what the callbacks of this one ask of setImmediate() comes first.
    if (!this.readers.isEmpty) this.#planTurn();
  }

  #releaseCompletions(): void {
    if (this.#completions.release() && this.#submissions.takeSleeper()) {
      this.context.group.wake(this.ordinal);
    }
  }

  /** One completion, then the ticks and microtasks it caused. */
  #dispatchOne(): void {
    try {
      this.#dispatch(this.#completions);
    } catch (error) {
      this.context.fatalException(error);
    }
    this.#runTicks();
    if (this.followUp !== null) this.#followUp();
  }

  #runTicks(): void {
    try {
      runTicks();
    } catch (error) {
      this.context.fatalException(error);
    }
  }

  /** The reads of a connection that can be read from, each as if it had come by itself. */
  #followUp(): void {
    const connection = this.followUp;
    if (connection === null) return;
    this.followUp = null;
    for (let more = true; more;) {
      try {
        more = connection.completeNextRead();
      } catch (error) {
        this.context.fatalException(error);
      }
      this.#runTicks();
    }
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
      case opcodes.readable:
        return connection?.completeReadable(result);
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

  // --- Who is here --------------------------------------------------------------------------------

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
    if (++this.#references === 1) this.context.group.ref(this.ordinal);
  }

  unref(): void {
    if (--this.#references === 0) this.context.group.unref(this.ordinal);
  }
}
