/**
 * A scenario: what the system is like, and what is done, one step after another. All of it follows
 * from its number. A step that makes no sense when its turn comes does nothing; so steps can be left
 * out.
 */
import { Random } from '../load/random';
import { READ_MODES, type ReadMode } from './read-modes';

/** How often each is done, among all steps. */
const WEIGHTS = {
  listen: 3,
  closeServer: 2,
  refServer: 1,
  unrefServer: 1,
  unrefAll: 2,
  connectOut: 6,
  connectIn: 8,
  connectBoth: 5,
  connectNowhere: 1,
  write: 24,
  cork: 5,
  uncork: 5,
  end: 6,
  endWithData: 3,
  destroy: 3,
  destroyWithError: 2,
  destroySoon: 2,
  reset: 3,
  pause: 4,
  resume: 8,
  setTimeout: 3,
  ref: 2,
  unref: 3,
  setNoDelay: 1,
  peerSend: 16,
  peerReceive: 14,
  peerEnd: 4,
  peerClose: 2,
  peerReset: 2,
  busy: 2,
  rest: 4,
} as const;

export type StepKind = keyof typeof WEIGHTS;

/** What of a socket is done when it tells something. */
export interface Reaction {
  readonly event: 'data' | 'end' | 'connect' | 'drain' | 'finish' | 'error' | 'timeout' | 'close';
  /** The how manieth event. */
  readonly count: number;
  readonly step: Step;
}

/** Before the next step: in the same tick, after these, or after so many milliseconds. */
export type Pause = 'none' | 'microtask' | 'tick' | 'immediate' | number;

export interface Step {
  readonly kind: StepKind;
  /** Chooses the socket, server or peer. */
  readonly on: number;
  /** Bytes or milliseconds. */
  readonly size: number;
  readonly mode: ReadMode;
  readonly allowHalfOpen: boolean;
  readonly reactions: readonly Reaction[];
  readonly pause: Pause;
}

export interface Scenario {
  readonly number: number;
  readonly window: number;
  readonly descriptors: number;
  readonly faultOneIn: number;
  readonly steps: readonly Step[];
}

/** What a listener of a socket's may do. */
const REACTIONS: readonly (readonly [StepKind, number])[] = [
  ['write', 6],
  ['end', 3],
  ['destroy', 2],
  ['destroySoon', 1],
  ['reset', 2],
  ['pause', 2],
  ['resume', 2],
  ['ref', 1],
  ['unref', 1],
  ['closeServer', 1],
  ['busy', 1],
  ['peerSend', 2],
  ['connectOut', 1],
  ['cork', 1],
];

const kinds: readonly (readonly [StepKind, number])[] = (
  Object.entries(WEIGHTS) as [StepKind, number][]
).map(([kind, weight]) => [kind, weight]);

const CONNECTS: readonly StepKind[] = ['listen', 'connectOut', 'connectIn', 'connectBoth'];

class Generator {
  readonly #mostBytes: number;

  constructor(
    readonly random: Random,
    readonly window: number,
  ) {
    this.#mostBytes = window < 64 ? 400 : window < 8192 ? 30_000 : 400_000;
  }

  step(kind: StepKind): Step {
    const { random } = this;
    const connects = CONNECTS.includes(kind);
    return {
      kind,
      on: random.integer(0, 1000),
      size: this.#size(kind),
      mode: READ_MODES[random.integer(0, READ_MODES.length - 1)] ?? 'flowing',
      allowHalfOpen: random.chance(0.4),
      reactions: connects && random.chance(0.4) ? this.#reactions() : [],
      pause: this.#pause(),
    };
  }

  #size(kind: StepKind): number {
    const { random } = this;
    if (kind === 'setTimeout')
      return random.pick([
        [0, 1],
        [1, 1],
        [20, 1],
        [300, 1],
        [3000, 1],
      ]);
    if (kind === 'busy') return random.magnitude(10, 3000);
    if (kind === 'connectIn') return random.integer(1, 4);
    if (random.chance(0.08)) return 0;
    return random.magnitude(1, this.#mostBytes);
  }

  #reactions(): Reaction[] {
    const { random } = this;
    return Array.from({ length: random.integer(1, 2) }, () => ({
      event: random.pick<Reaction['event']>([
        ['data', 3],
        ['end', 2],
        ['connect', 2],
        ['drain', 1],
        ['finish', 1],
        ['error', 1],
        ['timeout', 1],
        ['close', 1],
      ]),
      count: random.pick([
        [1, 3],
        [2, 1],
        [5, 1],
      ]),
      step: { ...this.step(random.pick(REACTIONS)), reactions: [] },
    }));
  }

  #pause(): Pause {
    const { random } = this;
    return random.pick<Pause>([
      ['none', 8],
      ['microtask', 1],
      ['tick', 2],
      ['immediate', 4],
      [1, 3],
      [random.magnitude(1, 60), 3],
      [random.magnitude(60, 1500), 1],
    ]);
  }
}

export function generate(number: number): Scenario {
  const random = new Random(number);
  const window = random.pick([
    [1, 1],
    [13, 1],
    [700, 2],
    [4096, 3],
    [65_536, 4],
    [1 << 20, 2],
  ]);
  const generator = new Generator(random, window);
  const isShort = random.chance(0.1);
  const faultOneIn = random.chance(0.15) ? random.magnitude(15, 200) : 0;
  const first = (['listen', 'connectOut', 'connectIn', 'connectBoth'] as const).map((kind) =>
    generator.step(kind),
  );
  const count = random.magnitude(3, 50);
  const rest = Array.from({ length: count }, () => generator.step(random.pick(kinds)));
  const others = rest.flatMap((step) =>
    step.kind === 'unrefAll' ? [step, generator.step('rest')] : [step],
  );
  return {
    number,
    window,
    descriptors: isShort ? random.integer(3, 9) : 1000,
    faultOneIn,
    steps: [...first.filter(() => random.chance(0.7)), ...others],
  };
}

export function describe(step: Step): string {
  const reactions = step.reactions.map(
    ({ event, count, step: then }) => ` [at '${event}' ${count}: ${describe(then)}]`,
  );
  const half = step.allowHalfOpen ? ' half-open' : '';
  return `${step.kind} ${step.on} ${step.size} ${step.mode}${half}, then ${step.pause}${reactions.join('')}`;
}
