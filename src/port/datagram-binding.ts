/**
 * What the addon has for datagram sockets, as TypeScript sees it. What the numbers mean is written
 * in `completion_port/datagram.h` and `src/binding/datagram_memory.h`.
 */
import type { Endpoint, ErrorName } from './contract';
import type { Region } from './region';

type Words<Names extends string> = Readonly<Record<Names, number>>;

export interface DatagramLayout {
  /** Flag of `awaitReadable`. */
  readonly mayBeReadable: number;
  readonly datagrams: Words<
    // How many datagrams are received with one call at most, and how far their payloads lie apart.
    | 'batch'
    | 'room'
    // How many can be sent with one call, and in how many bytes all their payloads lie.
    | 'sendRecords'
    | 'sendBytes'
    // Where the parts of the memory begin, in bytes.
    | 'receivedAt'
    | 'sendAt'
    | 'payloadsAt'
    | 'sendPayloadsAt'
    // 32-bit words of a record, and in it.
    | 'recordWords'
    | 'id'
    | 'result'
    | 'offset'
    | 'length'
    | 'family'
    | 'port'
    | 'scope'
    | 'address'
    // Values of its family.
    | 'ipv4'
    | 'ipv6'
  >;
  readonly datagramOptions: Words<'broadcast' | 'ttl' | 'multicastTtl' | 'multicastLoopback'>;
}

/** Results are those of `NativePort`. */
export interface NativeDatagrams {
  /** Makes the memory that datagrams come in and leave by. False where there is none. */
  openDatagrams(into: { datagrams?: Region }): boolean;
  /** Makes and binds a socket. */
  prepareDatagrams(
    address: string,
    port: number,
    ipv6Only: boolean,
    reuseAddress: boolean,
    reusePort: boolean,
  ): number | ErrorName;
  /** Without an address it disconnects. */
  connectDatagrams(id: number, address?: string, port?: number): number;
  datagramAddress(id: number): Endpoint | ErrorName;
  datagramPeer(id: number): Endpoint | ErrorName;
  setDatagramOption(id: number, option: number, value: number): number;
  setMulticastInterface(id: number, address: string): number;
  joinGroup(
    id: number,
    join: boolean,
    group: string,
    source: string | undefined,
    networkInterface: string | undefined,
  ): number;
  /** Asks, or sets what is not 0: bytes, or an error below 0. */
  datagramBufferSize(id: number, ofReceive: boolean, bytes: number): number;
  nativeDatagramHandle(id: number): number;
  duplicateDatagrams(id: number): number | ErrorName;
  /** How many stand in the memory now. */
  receiveDatagrams(id: number): number;
  /** Sends the first `count` records of the memory, which have their results then. */
  sendDatagrams(count: number): void;
  /** Writes an address into a record that is to be sent; its text from one that was received. */
  parsePeer(index: number, address: string): number;
  formatPeer(index: number): string;
}
