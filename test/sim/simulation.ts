/** The simulated system, as the addon of `test/sim/native` shows it. */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/**
 * The other ends of connections, by number. What would have to wait says `null`; an error is its
 * name. A wire is a connection, by the port of its client.
 */
export interface Peers {
  listen(backlog: number): number;
  accept(port: number): number | null;
  connect(port: number): number | null;
  send(peer: number, bytes: Uint8Array): number | string | null;
  /** 0: the end. */
  receive(peer: number, into: Uint8Array): number | string | null;
  end(peer: number): void;
  close(peer: number, resets: boolean): void;
  wireOf(peer: number): number;
  wasReset(wire: number): boolean;
  /** Bytes that the system has taken of one end. */
  taken(wire: number, byClient: boolean): number;
}

export interface Simulation {
  readonly peers: Peers;
  /** From here on this thread's clock is the system's; false where it was not started for that. */
  useClock(): boolean;
  /** A new scenario. `faultOneIn`: of the calls that may fail; 0: none does. */
  begin(seed: number, window: number, descriptors: number, faultOneIn: number): void;
  /** From here on nothing is refused, nor left to chance. */
  calm(window: number): void;
  passToFullSecond(): void;
  /** JavaScript is busy for so long. */
  pass(microseconds: number): void;
  note(text: string, value: number): void;
  print(prints: boolean): void;
  record(): bigint;
  violation(): string;
  openHandles(): number;
  /** Called in each round of the loop in which it waits without end for nothing. */
  onStandstill(callback: () => void): void;
}

/** Of the addon that the engine of this process will load. */
export function loadSimulation(): Simulation {
  const folder = process.env['IOCP_NET_PREBUILD'] ?? '';
  const file = resolve(folder, 'build/Release/iocp_net_simulated.node');
  const { simulation } = createRequire(__filename)(file) as { simulation: Simulation };
  return simulation;
}
