/** From the engine's options to its ports: for which traffic each is, and who drives it. */
import type { EngineOptions } from './engine-options';
import { environment, slotsOf } from './environment';
import type { PortDriving } from './port/binding';
import type { PortPlan } from './port-options';
import { trafficClasses, type TrafficClass } from './traffic-class';

export interface PlannedPort {
  /** What it serves; one of them at least. */
  readonly classes: readonly TrafficClass[];
  readonly driving: PortDriving;
  /** Core to pin its thread or its helper to, or -1. */
  readonly core: number;
}

/**
 * Backends of which the event loop can drive several ports: it waits in one, and that is woken by the
 * others. A completion port of Windows can be waited for by nothing but a thread, and an io_uring
 * that belongs to one thread tells nobody else of its work.
 */
const watched: readonly string[] = ['epoll'];

/** Who shares with whom, where it has no port of its own. */
const sharesWith: Readonly<Record<TrafficClass, TrafficClass>> = {
  stream: 'stream',
  datagram: 'stream',
  broadcast: 'datagram',
  multicast: 'datagram',
};

/** A class that has ports of its own, and how many. */
interface Wanted extends PortPlan {
  readonly owner: TrafficClass;
  readonly count: number;
}

function wantedOf(ports: EngineOptions['ports']): Wanted[] {
  if (typeof ports !== 'object') {
    return [{ owner: 'stream', count: ports ?? 1, thread: ports !== undefined }];
  }
  const wanted: Wanted[] = [];
  for (const owner of trafficClasses) {
    const plan = ports[owner];
    if (typeof plan === 'number') wanted.push({ owner, count: plan, thread: true });
    else if (typeof plan === 'object') wanted.push({ ...plan, owner, count: 1 });
    else if (plan === true || owner === 'stream') wanted.push({ owner, count: 1 });
  }
  return wanted;
}

function classesOf(owner: TrafficClass, owners: ReadonlySet<TrafficClass>): TrafficClass[] {
  const ownerOf = (one: TrafficClass): TrafficClass =>
    owners.has(one) ? one : ownerOf(sharesWith[one]);
  return trafficClasses.filter((one) => ownerOf(one) === owner);
}

/** The cores of so many ports, in their order. */
function coresFor(affinity: EngineOptions['affinity'], ports: number): readonly number[] {
  if (affinity === undefined || affinity === 'none') return [];
  if (affinity !== 'auto') return affinity;
  const cores = process.getBuiltinModule('node:os').availableParallelism();
  return new Array<null>(ports).fill(null).map((_, port) => Math.max(0, cores - 1 - port));
}

/** Whether the engine of another version runs here, whose slot may look otherwise. */
export function otherVersionRuns(): boolean {
  const own = environment();
  const slots = Object.values(slotsOf()) as { running?: unknown }[];
  return slots.some((slot) => slot !== own && (slot.running ?? null) !== null);
}

/** The ports, those of streams first. `byThreads`: the event loop can drive none. */
export function planPorts(
  options: EngineOptions,
  backend: string,
  byThreads: boolean,
): PlannedPort[] {
  const wanted = wantedOf(options.ports);
  const owners = new Set(wanted.map(({ owner }) => owner));
  const onlyThreads = byThreads || options.helper === 'always';
  const each = wanted.flatMap((one) => new Array<Wanted>(one.count).fill(one));
  const cores = coresFor(options.affinity, each.length);
  let isLoopTaken = false;
  const drivingOf = ({ thread = false }: Wanted): PortDriving => {
    if (onlyThreads || thread || (isLoopTaken && !watched.includes(backend))) return 'thread';
    if (isLoopTaken) return 'watched';
    isLoopTaken = true;
    return 'loop';
  };
  return each.map((one, ordinal) => ({
    classes: classesOf(one.owner, owners),
    driving: drivingOf(one),
    core: one.core ?? cores[ordinal] ?? -1,
  }));
}
