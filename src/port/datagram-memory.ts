/**
 * The memory that the datagrams of a port come in and leave by, and the records in it
 * (`src/binding/datagram_memory.h`). Addresses are text on one side and numbers on the other; a
 * program has few peers at a time, so both ways are remembered.
 */
import type { NativePort } from './binding';
import type { DatagramLayout } from './datagram-binding';
import type { ErrorName } from './contract';
import { copyOf, copyOfView, isOnHeap } from './receive-slab';

/** Peers that are remembered at most, each way. Then all are forgotten, which costs a call each. */
const MOST_PEERS = 4096;
/** Words of a peer, as they are remembered: family, zone, and the four of the address. */
const PEER_WORDS = 6;

type Peer = Int32Array;

interface NamedPeer {
  readonly peer: Peer;
  readonly name: string;
}

export class DatagramMemory {
  readonly #native: NativePort;
  readonly #layout: DatagramLayout['datagrams'];
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #peers = new Map<string, Peer>();
  /** Of each place, what was received there last: datagrams of the same length follow each other often. */
  readonly #views: Buffer[] = [];
  /** By a number made of its words. Two with the same number push each other out. */
  readonly #names = new Map<number, NamedPeer>();

  private constructor(
    native: NativePort,
    layout: DatagramLayout['datagrams'],
    words: Int32Array,
    bytes: Buffer,
  ) {
    this.#native = native;
    this.#layout = layout;
    this.#words = words;
    this.#bytes = bytes;
  }

  static open(native: NativePort, { datagrams }: DatagramLayout): DatagramMemory | null {
    const into: Parameters<NativePort['openDatagrams']>[0] = {};
    if (!native.openDatagrams(into) || into.datagrams === undefined) return null;
    const { buffer, offset, bytes } = into.datagrams;
    const words = new Int32Array(buffer, offset, datagrams.payloadsAt >> 2);
    return new DatagramMemory(native, datagrams, words, Buffer.from(buffer, offset, bytes));
  }

  // --- What was received

  #received(index: number): number {
    return (this.#layout.receivedAt >> 2) + index * this.#layout.recordWords;
  }

  /** In memory of its own. */
  payload(index: number): Buffer {
    const { payloadsAt, room, result } = this.#layout;
    const length = this.#words[this.#received(index) + result] as number;
    const offset = payloadsAt + index * room;
    if (isOnHeap(length)) return copyOf(this.#bytes, offset, length);
    const last = this.#views[index];
    if (last?.length === length) return copyOfView(last);
    return copyOfView((this.#views[index] = this.#bytes.subarray(offset, offset + length)));
  }

  senderPort(index: number): number {
    return this.#words[this.#received(index) + this.#layout.port] as number;
  }

  senderFamily(index: number): 'IPv4' | 'IPv6' {
    const family = this.#words[this.#received(index) + this.#layout.family];
    return family === this.#layout.ipv6 ? 'IPv6' : 'IPv4';
  }

  sender(index: number): string {
    const words = this.#words;
    const at = this.#received(index);
    const first = at + this.#layout.address;
    const family = words[at + this.#layout.family] as number;
    const zone = words[at + this.#layout.scope] as number;
    const mixed =
      (words[first] as number) ^
      Math.imul(words[first + 1] as number, 31) ^
      Math.imul(words[first + 2] as number, 961) ^
      Math.imul((words[first + 3] as number) ^ zone, 29791);
    const known = this.#names.get(mixed);
    if (known !== undefined && isSame(known.peer, family, zone, words, first)) return known.name;
    if (this.#names.size >= MOST_PEERS) this.#names.clear();
    const name = this.#native.formatPeer(index);
    this.#names.set(mixed, { peer: peerOf(family, zone, words, first), name });
    return name;
  }

  // --- What is to be sent

  #toSend(index: number): number {
    return (this.#layout.sendAt >> 2) + index * this.#layout.recordWords;
  }

  /** What leaves by socket `id`, its payload at `offset`; to the connected peer without a name. */
  write(index: number, id: number, offset: number, length: number): void {
    const at = this.#toSend(index);
    const words = this.#words;
    words[at + this.#layout.id] = id;
    words[at + this.#layout.offset] = offset;
    words[at + this.#layout.length] = length;
    words[at + this.#layout.family] = 0;
  }

  writePayload(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#layout.sendPayloadsAt + offset);
  }

  copyPayload(offset: number, length: number): Buffer {
    return copyOf(this.#bytes, this.#layout.sendPayloadsAt + offset, length);
  }

  /** The peer of a record. An address that is none of this family is `'EINVAL'`, as with libuv. */
  address(index: number, name: string, family: 'ipv4' | 'ipv6', port: number): ErrorName | null {
    const at = this.#toSend(index);
    const words = this.#words;
    const peer = this.#peers.get(name) ?? this.#parse(index, name);
    if (peer?.[0] !== this.#layout[family]) return 'EINVAL';
    const first = at + this.#layout.address;
    words[at + this.#layout.family] = peer[0];
    words[at + this.#layout.port] = port;
    words[at + this.#layout.scope] = peer[1] as number;
    words[first] = peer[2] as number;
    words[first + 1] = peer[3] as number;
    words[first + 2] = peer[4] as number;
    words[first + 3] = peer[5] as number;
    return null;
  }

  #parse(index: number, name: string): Peer | undefined {
    if (this.#native.parsePeer(index, name) < 0) return undefined;
    const at = this.#toSend(index);
    const { family, scope, address } = this.#layout;
    const words = this.#words;
    const zone = words[at + scope] as number;
    const peer = peerOf(words[at + family] as number, zone, words, at + address);
    // A zone's number can come to mean another interface.
    if (zone !== 0) return peer;
    if (this.#peers.size >= MOST_PEERS) this.#peers.clear();
    this.#peers.set(name, peer);
    return peer;
  }

  /** Bytes that left, or an error below 0. */
  result(index: number): number {
    return this.#words[this.#toSend(index) + this.#layout.result] as number;
  }
}

function peerOf(family: number, zone: number, words: Int32Array, first: number): Peer {
  const peer = new Int32Array(PEER_WORDS);
  peer[0] = family;
  peer[1] = zone;
  peer.set(words.subarray(first, first + 4), 2);
  return peer;
}

function isSame(
  peer: Peer,
  family: number,
  zone: number,
  words: Int32Array,
  first: number,
): boolean {
  return (
    peer[2] === words[first] &&
    peer[3] === words[first + 1] &&
    peer[4] === words[first + 2] &&
    peer[5] === words[first + 3] &&
    peer[0] === family &&
    peer[1] === zone
  );
}
