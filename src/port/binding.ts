/**
 * The native addon as TypeScript sees it, and the only place that loads it. What the numbers mean
 * is written in `deps/completion-port/include/completion_port/layout.h`; they arrive here as
 * `binding.layout`, so that none is written twice.
 */
import * as path from 'node:path';
import type { Endpoint, ErrorName, SocketKind } from './contract';

type Words<Names extends string> = Readonly<Record<Names, number>>;

/** Constants of the shared memory, exported by `src/binding/layout.cc`. */
export interface Layout {
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
  >;
  /** Words of a submission record. */
  readonly submission: Words<'opcode' | 'flags' | 'id' | 'arg0' | 'arg1' | 'arg2'>;
  /** Words of a completion record. */
  readonly completion: Words<'opcode' | 'id' | 'result' | 'arg0' | 'arg1'>;
  /** Value of the header's `driver` while a thread drives the port. */
  readonly threadDrives: number;
  readonly sendMore: number;
  readonly sendPinned: number;
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
  /** Mask of the slot index in a socket or listener id. */
  readonly indexMask: number;
}

/** What a negative result means. */
export function errorName({ errors }: Layout, result: number): ErrorName {
  return errors[-result] ?? 'UNKNOWN';
}

export interface PortSettings {
  backend: string;
  submissionEntries: number;
  completionEntries: number;
  receiveSlabBytes: number;
  sendSlabBytes: number;
  socketCapacity: number;
  lingerMs: number;
  /** Who drives: libuv's event loop, or a thread of the port's own. */
  driving: 'loop' | 'thread';
  /** Whether a thread may help the loop while that is away. */
  helper: boolean;
  /** Core to pin the port's thread or the helper to, or -1. */
  core: number;
}

/** Where an aligned region lies in an ArrayBuffer. */
export interface Region {
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly bytes: number;
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
 * The ports of this environment. The first argument of every method is a port's ordinal. Results
 * are 0 or minus an index into `layout.errors`; where an id or an endpoint comes back, an error
 * comes as a string.
 */
export interface NativePortGroup {
  /**
   * `deliver` is called in a callback scope of Node's (`isBare` is false) or in none; its answer is
   * 0 when it is done, 1 to be called again in a scope, 2 in none. It must not throw.
   */
  add(settings: PortSettings, deliver: (isBare: boolean) => number): PortMemory | ErrorName;
  /** Stops the ports: for a group that is not to be used after all. */
  stop(): void;
  /** Wakes the thread that drives. */
  wake(port: number): void;
  /** `deliver` is called before the event loop's round is over, also without completions. */
  deliverSoon(port: number): void;
  /** Hands over what was submitted. True if of what this socket was given nothing remains unsent. */
  submit(port: number, id: number): boolean;
  ref(port: number): void;
  unref(port: number): void;
  listen(
    port: number,
    address: string,
    number: number,
    backlog: number,
    ipv6Only: boolean,
    reusePort: boolean,
  ): number | ErrorName;
  connect(
    port: number,
    address: string,
    number: number,
    localAddress: string,
    localNumber: number,
  ): number | ErrorName;
  listenLocal(port: number, path: string, backlog: number): number | ErrorName;
  connectLocal(port: number, path: string): number | ErrorName;
  setListenerAccess(port: number, id: number, readable: boolean, writable: boolean): number;
  unlinkListener(port: number, id: number): number;
  /** With `duplicate` the handle stays the caller's; without, only where an error comes back. */
  adoptConnection(port: number, handle: number, duplicate: boolean): Adopted | ErrorName;
  adoptListener(
    port: number,
    handle: number,
    duplicate: boolean,
    backlog: number,
  ): Adopted | ErrorName;
  /** A second handle to the same socket, the caller's to close. */
  duplicate(port: number, id: number): number | ErrorName;
  duplicateListener(port: number, id: number): number | ErrorName;
  // These take no port.
  openListener(
    address: string,
    number: number,
    backlog: number,
    ipv6Only: boolean,
  ): number | ErrorName;
  share(handle: number, processId: number): Buffer | ErrorName;
  takeShared(token: Uint8Array): number | ErrorName;
  closeHandle(handle: number): void;
  setNoDelay(port: number, id: number, enable: boolean): number;
  setKeepAlive(
    port: number,
    id: number,
    enable: boolean,
    delaySeconds: number,
    intervalSeconds: number,
    count: number,
  ): number;
  setTypeOfService(port: number, id: number, value: number): number;
  /** The value, or an error below 0. */
  typeOfService(port: number, id: number): number;
  localAddress(port: number, id: number): Endpoint | ErrorName;
  peerAddress(port: number, id: number): Endpoint | ErrorName;
  listenerAddress(port: number, id: number): Endpoint | ErrorName;
  nativeHandle(port: number, id: number): number;
  nativeListenerHandle(port: number, id: number): number;
  addressOf(bytes: Uint8Array, words: Uint32Array): void;
  /** Whether something has arrived that no receive has taken. */
  hasUnread(port: number, id: number): boolean;
  sendNow(port: number, id: number, bytes: Uint8Array): number;
  sendBlockNow(port: number, id: number, offset: number, length: number): number;
}

export interface Binding {
  readonly layout: Layout;
  backends(): string[];
  /** Null when this machine lets us use the backend, else the error's name. */
  probe(backend: string): ErrorName | null;
  fatalException(error: unknown): void;
  PortGroup: new () => NativePortGroup;
}

let loaded: Binding | undefined;

/** Loads the addon: a local build first, then the prebuilt binary. Throws where there is none. */
export function loadBinding(): Binding {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded on first use only
  const load = require('node-gyp-build') as (directory: string) => Binding;
  loaded ??= load(path.join(__dirname, '..', '..'));
  return loaded;
}
