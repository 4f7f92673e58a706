/** `engine.configure({ ports })` by classes of traffic: what it takes, and what does not go together. */
import { invalidValue } from './invalid-value';
import { bare } from './net/bare';
import { trafficClasses } from './traffic-class';

/** A port of its own for a class of traffic. */
export interface PortPlan {
  /**
   * Whether a thread drives it. Default `false`: the event loop does (where the backend is not
   * epoll, of the first such port alone: the others have a thread in any case). Costs a thread, and
   * a wake-up of it and of JavaScript where they sleep.
   */
  thread?: boolean | undefined;
  /** Core to pin that thread to, from 0. One that does not exist is ignored. Not pinned by default. */
  core?: number | undefined;
}

/**
 * Which classes have a port of their own; `true` stands for `{}`. What is not named shares:
 * `broadcast` and `multicast` the port of `datagram`, that the port of `stream`. Each port costs a
 * queue of the system and about 0.5 MiB of rings, and one with datagram sockets up to 2.3 MiB more.
 */
export interface PortsByClass {
  /** A number: as many ports, each with a thread. */
  stream?: number | true | PortPlan | undefined;
  datagram?: true | PortPlan | undefined;
  broadcast?: true | PortPlan | undefined;
  multicast?: true | PortPlan | undefined;
}

const mostPorts = 64;
const countRange = `it must be an integer from 1 to ${mostPorts}`;

const planMembers = ['thread', 'core'];

/** The object's own members, but those that are undefined. Throws for others than these. */
function membersOf(
  name: string,
  given: unknown,
  known: readonly string[],
  expected: string,
): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidValue(name, given, expected);
  }
  const members = bare<Record<string, unknown>>({});
  for (const [member, value] of Object.entries(given)) {
    if (!known.includes(member)) {
      throw invalidValue(`${name}.${member}`, value, `${name} may have ${known.join(', ')}`);
    }
    if (value !== undefined) members[member] = value;
  }
  return members;
}

function checkPlan(name: string, given: unknown, expected: string): PortPlan {
  if (given === true) return bare<PortPlan>({});
  const { thread, core } = membersOf(name, given, planMembers, expected);
  if (thread !== undefined && typeof thread !== 'boolean') {
    throw invalidValue(`${name}.thread`, thread, 'it must be true or false');
  }
  if (core !== undefined && (!Number.isInteger(core) || (core as number) < 0)) {
    throw invalidValue(`${name}.core`, core, 'it must be a core, from 0');
  }
  const plan = bare<PortPlan>({});
  if (thread !== undefined) plan.thread = thread;
  if (core !== undefined) plan.core = core as number;
  return plan;
}

function checkCount(name: string, given: number, expected: string): number {
  if (Number.isInteger(given) && given >= 1 && given <= mostPorts) return given;
  throw invalidValue(name, given, expected);
}

function checkClass(name: string, given: unknown): number | PortPlan {
  if (name !== 'ports.stream') return checkPlan(name, given, 'it must be true or an object');
  const expected = `${countRange}, true or an object`;
  if (typeof given === 'number') return checkCount(name, given, expected);
  return checkPlan(name, given, expected);
}

/** Of the engine's options `ports`, and what goes together with it or does not. */
interface Given {
  readonly ports?: unknown;
  readonly helper?: string;
  readonly affinity?: string | readonly number[];
}

/** What a class says is not to contradict the options beside `ports`. */
function checkTogether(
  { helper, affinity }: Given,
  name: string,
  checked: number | PortPlan,
): void {
  const { thread, core } = typeof checked === 'number' ? { thread: true } : checked;
  const isOfStream = name === 'ports.stream';
  if (thread === true && (helper === 'never' || (helper === 'auto' && isOfStream))) {
    throw invalidValue('helper', helper, `${name} asks for a thread that drives`);
  }
  if (helper === 'always' && thread === false) {
    throw invalidValue(`${name}.thread`, false, "with helper: 'always' threads drive");
  }
  if (core === undefined) return;
  if (thread !== true && helper !== 'always') {
    throw invalidValue(`${name}.core`, core, 'only a thread that drives is pinned: thread: true');
  }
  if (affinity !== undefined && affinity !== 'none') {
    throw invalidValue('affinity', affinity, `${name}.core says which core`);
  }
}

/** A checked copy of `ports`. */
export function checkPorts(options: Given): number | PortsByClass {
  const { ports } = options;
  if (typeof ports === 'number') return checkCount('ports', ports, `${countRange}, or an object`);
  const given = membersOf('ports', ports, trafficClasses, `${countRange}, or an object`);
  const checked = bare<Record<string, number | PortPlan>>({});
  for (const [name, value] of Object.entries(given)) {
    const plan = checkClass(`ports.${name}`, value);
    checkTogether(options, `ports.${name}`, plan);
    checked[name] = plan;
  }
  return checked;
}
