/** `engine.stats()`: the counters that the ports keep in shared memory, by name. */
import type { Driver } from '../diagnostics/messages';
import type { DropStats } from '../drops';
import type { TrafficClass } from '../traffic-class';
import { operationCounters } from './counters';
import type { Port } from './port';
import type { PortTransport } from './transport';

/** Operations of one kind, as numbers of them: docs/engine.md says what each counts. */
export interface OperationStats {
  submitted: number;
  completed: number;
}

/**
 * What a port has done, or all of them. Each comment begins with the unit. Those that say "now" go
 * up and down; the others count from the start and only grow.
 *
 * Names and meanings: `COMPLETION_PORT_COUNTERS` in `completion_port/layout.h`.
 */
export interface PortCounters {
  /** Bytes handed to JavaScript. */
  bytesReceived: number;
  /** Bytes that the system took, through the port or directly. */
  bytesSent: number;
  /** Batches: returns of the operating system's queue that brought something. */
  batches: number;
  /** Packets that it brought, in all. */
  packets: number;
  /** Calls of the system for data, by whoever drives; direct sends are not among them. */
  osCalls: number;
  /** Wake-ups of the thread that drives, or of the event loop that waits in the port. */
  portWakeups: number;
  /** Wake-ups of JavaScript by a thread that drives. */
  consumerWakeups: number;
  /** Sockets that are alive now. */
  socketsOpen: number;
  /** Listeners that are alive now. */
  listenersOpen: number;
  /** Sockets for datagrams that are alive now; not among those of `socketsOpen`. */
  datagramSocketsOpen: number;
  /** Chunks to receive into that the system or JavaScript has now. */
  chunksInUse: number;
  /** Chunks to receive into that there are now. */
  chunksTotal: number;
  /** Receives that had to wait for a chunk. */
  receivesStarved: number;
  /** Chunks whose memory was given back to the system. */
  chunksTrimmed: number;
  /** Sends that JavaScript made itself, at once. */
  directSends: number;
  /** Bytes of those sends. */
  directBytesSent: number;
  /** Datagrams taken from the system. */
  datagramsReceived: number;
  /** Datagrams handed to the system. */
  datagramsSent: number;
  /** Receives into chunks of 64 KiB, of connections that fill more than the 4 KiB of the others. */
  largeReceives: number;
  /** Receives into the memory that becomes the program's. */
  pinnedReceives: number;
  /** Nanoseconds that the event loop waited in the port. */
  waitedNs: number;
  /** Times the helper has driven in the event loop's place. */
  helperTurns: number;
  /** Nanoseconds that it drove, in all. */
  helperNs: number;
  /** Times the helper has looked whether it is needed. */
  helperLooks: number;
  /** Rounds of the event loop that found work of the helper's and left it driving. */
  workFound: number;
  /** By the name of the operation. */
  operations: Record<string, OperationStats>;
}

/** One port. */
export interface PortStats extends PortCounters {
  /** Which traffic it is for: `engine.configure({ ports })`. */
  classes: TrafficClass[];
  /** Who drives it: the event loop (with a helper or without), or a thread of its own. */
  driver: Driver;
}

/** What `engine.stats()` returns: the sums over all ports. */
export interface EngineStats extends PortCounters {
  /** Connections that limits have dropped, by which; counted on `node:net`, too. */
  drops: DropStats;
  /** The same, port by port: those of streams first. */
  ports: PortStats[];
}

function empty(): PortCounters {
  return {
    bytesReceived: 0,
    bytesSent: 0,
    batches: 0,
    packets: 0,
    osCalls: 0,
    portWakeups: 0,
    consumerWakeups: 0,
    socketsOpen: 0,
    listenersOpen: 0,
    datagramSocketsOpen: 0,
    chunksInUse: 0,
    chunksTotal: 0,
    receivesStarved: 0,
    chunksTrimmed: 0,
    directSends: 0,
    directBytesSent: 0,
    datagramsReceived: 0,
    datagramsSent: 0,
    largeReceives: 0,
    pinnedReceives: 0,
    waitedNs: 0,
    helperTurns: 0,
    helperNs: 0,
    helperLooks: 0,
    workFound: 0,
    operations: {},
  };
}

function isCounter(
  name: string,
  stats: PortCounters,
): name is Exclude<keyof PortCounters, 'operations'> {
  return name !== 'operations' && name in stats;
}

function countersOf(port: Port): PortCounters {
  const { layout } = port.context;
  const stats = empty();
  const value = (index: number): number => Number(port.counters[index] ?? 0n);
  layout.counters.forEach((name, index) => {
    if (isCounter(name, stats)) stats[name] = value(index);
  });
  stats.bytesSent += stats.directBytesSent;
  layout.opcodeNames.forEach((name, opcode) => {
    if (opcode === 0) return;
    const { submitted, completed } = operationCounters(layout, opcode);
    stats.operations[name] = { submitted: value(submitted), completed: value(completed) };
  });
  return stats;
}

function addTo(total: PortCounters, port: PortCounters): void {
  for (const name of Object.keys(port)) {
    if (isCounter(name, total)) total[name] += port[name];
  }
  for (const [name, { submitted, completed }] of Object.entries(port.operations)) {
    const sum = (total.operations[name] ??= { submitted: 0, completed: 0 });
    sum.submitted += submitted;
    sum.completed += completed;
  }
}

export function readStats(transport: PortTransport | null, drops: DropStats): EngineStats {
  const total = empty();
  const ports = (transport?.ports ?? []).map((port) => {
    const counters = countersOf(port);
    addTo(total, counters);
    return { classes: [...port.classes], driver: port.driver, ...counters };
  });
  return { ...total, drops: { ...drops }, ports };
}
