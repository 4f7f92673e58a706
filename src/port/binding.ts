/**
 * The native addon as TypeScript sees it; `addon.ts` loads it. What the numbers mean is written in
 * `deps/completion-port/include/completion_port/layout.h`; they arrive here as `binding.layout`, so
 * that none is written twice.
 */
import type { Endpoint, ErrorName, SocketKind } from './contract';
import type { DatagramLayout, NativeDatagrams } from './datagram-binding';
import type { Region } from './region';

export type { Region } from './region';

type Words<Names extends string> = Readonly<Record<Names, number>>;

/** Constants of the shared memory, exported by `src/binding/layout.cc`. */
export interface Layout extends DatagramLayout {
  /** The most that one completion of `receive` brings. */
  readonly largestChunkBytes: number;
  /** 32-bit words per record; a power of two. */
  readonly recordWords: number;
  /** Word offsets of the indices and flags, from the start of the ring memory. */
  readonly header: Words<
    | 'submissionTail'
    | 'submissionHead'
    | 'portAsleep'
    | 'completionTail'
    | 'completionHead'
    | 'consumerAsleep'
    | 'completionOverflow'
    | 'chunksWanted'
    | 'driver'
    | 'offload'
    | 'helped'
  >;
  readonly opcodes: Words<
    | 'connect'
    | 'accept'
    | 'receive'
    | 'release'
    | 'send'
    | 'shutdown'
    | 'close'
    | 'linger'
    | 'closeListener'
    | 'awaitReadable'
    | 'awaitWritable'
    | 'closeDatagrams'
  >;
  /** Words of a submission record. */
  readonly submission: Words<'opcode' | 'flags' | 'id' | 'arg0' | 'arg1' | 'arg2' | 'arg3'>;
  /** Words of a completion record. */
  readonly completion: Words<'opcode' | 'id' | 'result' | 'arg0' | 'arg1'>;
  /** Value of the header's `driver` while a thread drives the port. */
  readonly threadDrives: number;
  readonly sendMore: number;
  readonly sendPinned: number;
  readonly sendFile: number;
  readonly receivePinned: number;
  readonly receiveAtOnce: number;
  readonly receiveWithdraw: number;
  readonly closeReset: number;
  readonly closeRelease: number;
  readonly acceptShared: number;
  /** Byte offsets from the start of the ring memory. */
  readonly submissionsOffset: number;
  readonly countersOffset: number;
  readonly counters: readonly string[];
  /** Index of the first of two counters per opcode: submitted, completed. */
  readonly perOpcodeCounters: number;
  readonly opcodeNames: readonly string[];
  /** Error names; a result of `-n` means `errors[n]`. */
  readonly errors: readonly ErrorName[];
  /** `sendTextNow` answers with two numbers of bytes, the first so many bits higher. */
  readonly textBytesShift: number;
  /** Mask of the slot index in a socket or listener id. */
  readonly indexMask: number;
}

/** What a negative result means. */
export function errorName({ errors }: Layout, result: number): ErrorName {
  return errors[-result] ?? 'UNKNOWN';
}

/**
 * Who drives a port: libuv's event loop, which waits in it (`'loop'`) or in another while libuv
 * watches its queue (`'watched'`), or a thread of the port's own.
 */
export type PortDriving = 'loop' | 'watched' | 'thread';

export interface PortSettings {
  backend: string;
  submissionEntries: number;
  completionEntries: number;
  receiveSlabBytes: number;
  sendSlabBytes: number;
  socketCapacity: number;
  lingerMs: number;
  driving: PortDriving;
  /** Whether a thread may help the loop while that is away. */
  helper: boolean;
  /**
   * Whether an io_uring may stand beside an epoll set, for the sends of a turn: not where somebody
   * asks for epoll by name.
   */
  batchSends: boolean;
  /** Whether connections that its siblings accept may join it. */
  takesAccepted: boolean;
  /** Core to pin the port's thread or the helper to, or -1. */
  core: number;
}

export interface PortMemory {
  readonly ring: Region;
  readonly receiveSlab: Region;
  readonly sendSlab: Region;
}

/** A socket that was taken over. */
export interface Adopted {
  readonly id: number;
  readonly kind: SocketKind;
}

/**
 * One port. Results are 0 or minus an index into `layout.errors`; where an id or an endpoint comes
 * back, an error comes as a string.
 */
export interface NativePort extends PortMemory, NativeDatagrams {
  /**
   * Completions go to `deliver` from now on. It is called in a callback scope of Node's (`isBare`
   * is false) or in none; its answer is 0 when it is done, 1 to be called again in a scope, 2 in
   * none, 3 in the loop's next round. `phase` is one of `Phase` (`dispatch.ts`). It must not throw.
   */
  deliverTo(deliver: (isBare: boolean, phase: number) => number): void;
  /** `deliver` is called in the event loop's closing phase, also without completions. */
  deliverSoon(): void;
  /** Wakes the thread that drives. */
  wake(): void;
  /** Hands over what was submitted. True if of what this socket was given nothing remains unsent. */
  submit(id: number): boolean;
  ref(): void;
  unref(): void;
  /** How many of the bytes the system has taken; of the send slab, with `sendBlockNow`. */
  sendNow(id: number, bytes: Uint8Array): number;
  sendBlockNow(id: number, offset: number, length: number): number;
  /**
   * Encodes the text at `offset` in the send slab, where `room` bytes are free, one more than it
   * needs at most, and sends it. An error, or how many bytes it has and how many of them were taken
   * (`Layout.textBytesShift`).
   */
  sendTextNow(id: number, offset: number, room: number, text: string, isLatin1: boolean): number;
  /** Whether something has arrived that no receive has taken. */
  hasUnread(id: number): boolean;
  listen(
    address: string,
    number: number,
    backlog: number,
    ipv6Only: boolean,
    reusePort: boolean,
  ): number | ErrorName;
  connect(
    address: string,
    number: number,
    localAddress: string,
    localNumber: number,
  ): number | ErrorName;
  listenLocal(path: string, backlog: number): number | ErrorName;
  connectLocal(path: string): number | ErrorName;
  setListenerAccess(id: number, readable: boolean, writable: boolean): number;
  unlinkListener(id: number): number;
  setNoDelay(id: number, enable: boolean): number;
  setKeepAlive(
    id: number,
    enable: boolean,
    delaySeconds: number,
    intervalSeconds: number,
    count: number,
  ): number;
  setTypeOfService(id: number, value: number): number;
  /** The value, or an error below 0. */
  typeOfService(id: number): number;
  localAddress(id: number): Endpoint | ErrorName;
  peerAddress(id: number): Endpoint | ErrorName;
  listenerAddress(id: number): Endpoint | ErrorName;
  nativeHandle(id: number): number;
  nativeListenerHandle(id: number): number;
  /** With `duplicate` the handle stays the caller's; without, only where an error comes back. */
  adoptConnection(handle: number, duplicate: boolean): Adopted | ErrorName;
  adoptListener(handle: number, duplicate: boolean, backlog: number): Adopted | ErrorName;
  /** A second handle to the same socket, the caller's to close. */
  duplicate(id: number): number | ErrorName;
  duplicateListener(id: number): number | ErrorName;
  /** A handle to the file of a descriptor, for `layout.sendFile`. The port's end closes it, too. */
  duplicateFile(descriptor: number): number | ErrorName;
  closeFile(handle: number): void;
}

/** The ports of this environment, which are usable as long as this is kept. */
export interface NativePortGroup {
  /** Where one cannot be opened, the others are stopped: the group is of no use then. */
  add(settings: PortSettings): NativePort | ErrorName;
}

export interface Binding {
  readonly layout: Layout;
  backends(): string[];
  /** Null when this machine lets us use the backend, else the error's name. */
  probe(backend: string): ErrorName | null;
  fatalException(error: unknown): void;
  /**
   * Calls back in the event loop's check phase, in the order of what Node's native code defers to
   * there and before `setImmediate()`. False where this Node has no way.
   */
  callWithImmediates(callback: () => void): boolean;
  /** Whether libuv has a child process in this environment; true where it cannot be asked. */
  hasChildren(): boolean;
  // Of sockets that are in no port.
  openListener(
    address: string,
    number: number,
    backlog: number,
    ipv6Only: boolean,
  ): number | ErrorName;
  share(handle: number, processId: number): Buffer | ErrorName;
  takeShared(token: Uint8Array): number | ErrorName;
  closeHandle(handle: number): void;
  /** Writes the low and the high half of where the bytes are. */
  addressOf(bytes: Uint8Array, words: Uint32Array): void;
  PortGroup: new () => NativePortGroup;
}

/**
 * The same members, for code that reads them often. An object that native code fills with more than
 * a dozen is a hash table to V8, which optimized code reads by a call.
 */
export function fastCopy<Members extends object>(filled: Members): Members {
  return { ...filled };
}
