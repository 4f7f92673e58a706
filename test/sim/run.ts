/** The life of a scenario: its steps in time, its end, and what is left then. */
import { engine } from 'iocp-net/engine';
import type { Judge } from './judge';
import type { Simulation } from './simulation';
import { describe, type Pause, type Scenario } from './steps';
import { World } from './world';

const LARGE_WINDOW = 1 << 20;
const ROUNDS = 300;
/** Longer than a closed socket may go on sending, and than gauges take to be right. */
const SETTLED_MS = 6000;

export interface Violation {
  readonly what: string;
  readonly where: string;
}

/** A number for each run, that is the same if it went the same way. */
export interface Outcome {
  readonly violation: Violation | null;
  readonly record: string;
}

/** Why nothing is to come: the loop would end, or it is held and waits. */
type Rest = 'free' | 'held';

const later = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function pause(how: Pause): Promise<void> {
  if (typeof how === 'number') return later(how);
  if (how === 'immediate') return new Promise((resolve) => void setImmediate(resolve));
  if (how === 'tick') return new Promise((resolve) => process.nextTick(resolve));
  if (how === 'microtask') await Promise.resolve();
}

export class Runner {
  #violation: Violation | null = null;
  #rests: ((rest: Rest) => void) | null = null;
  #isVerbose = false;

  constructor(readonly simulation: Simulation) {
    process.on('beforeExit', () => this.#cameToRest('free'));
    simulation.onStandstill(() => this.#cameToRest('held'));
    process.on('uncaughtException', (error) => {
      this.#violate('an uncaught exception', String((error as Error | null)?.stack));
      // Nobody can say what was to come after it.
      this.#rests?.('free');
    });
  }

  set isVerbose(isVerbose: boolean) {
    this.#isVerbose = isVerbose;
    this.simulation.print(isVerbose);
  }

  #cameToRest(rest: Rest): void {
    const rests = this.#rests;
    this.#rests = null;
    if (rests !== null) rests(rest);
    else this.#violate('nothing is to come, and the scenario waits', rest);
  }

  /** When nothing is to come any more. The scenario itself holds nothing meanwhile. */
  async #rest(): Promise<Rest> {
    await later(1); // a loop that has come to its end says so once
    return new Promise((resolve) => (this.#rests = resolve));
  }

  #violate(what: string, where: string): void {
    if (this.#isVerbose) console.log(`  VIOLATION: ${what}: ${where}`);
    this.#violation ??= { what, where };
  }

  #judge(scenario: Scenario): Judge {
    return {
      busyMs: scenario.steps.length * 6,
      hasFaults: scenario.faultOneIn > 0 || scenario.descriptors < 100,
      violate: (what, where) => this.#violate(what, where),
      note: (text, value = 0) => this.simulation.note(text, value),
      now: () => performance.now(),
    };
  }

  async run(scenario: Scenario): Promise<Outcome> {
    const { number, window, descriptors, faultOneIn } = scenario;
    this.#violation = null;
    const before = engine.stats().operations;
    this.simulation.passToFullSecond();
    // The first lets the timers know what time it is.
    for (let round = 0; round < 2; round++) await later(1);
    this.simulation.begin(number, window, descriptors, faultOneIn);
    const world = new World(this.#judge(scenario), this.simulation, scenario);
    await this.#steps(scenario, world);
    if (this.#violation === null) await this.#end(world);
    if (this.#violation === null) await this.#checkBalance(world, before);
    const broken = this.simulation.violation();
    if (broken !== '') this.#violate(broken, 'the system');
    return { violation: this.#violation, record: this.simulation.record().toString(16) };
  }

  async #steps(scenario: Scenario, world: World): Promise<void> {
    for (const step of scenario.steps) {
      if (this.#violation !== null) return;
      if (this.#isVerbose) console.log(`step ${describe(step)}`);
      if (step.kind === 'rest') world.checkAtRest((await this.#rest()) === 'held');
      else world.perform(step);
      await pause(step.pause);
    }
  }

  async #end(world: World): Promise<void> {
    this.simulation.calm(LARGE_WINDOW);
    world.finish();
    for (let round = 0; round < ROUNDS && (round === 0 || !world.isOver); round++) {
      world.playOn();
      await later(round < 100 ? 2 : 100);
    }
    world.checkAtEnd();
    if (this.#violation !== null) return;
    if ((await this.#rest()) === 'held') this.#violate('the loop is held by what has ended', '');
  }

  async #checkBalance(world: World, before: ReturnType<typeof engine.stats>['operations']) {
    await later(SETTLED_MS);
    const stats = engine.stats();
    for (const name of ['socketsOpen', 'listenersOpen', 'chunksInUse'] as const) {
      if (stats[name] !== 0) this.#violate(`${name} is not 0 at the end`, String(stats[name]));
    }
    for (const name of ['connect', 'send', 'shutdown', 'close', 'closeListener']) {
      const { submitted = 0, completed = 0 } = stats.operations[name] ?? {};
      const since = submitted - (before[name]?.submitted ?? 0);
      const done = completed - (before[name]?.completed ?? 0);
      if (since !== done) this.#violate(`not each ${name} has completed`, `${done} of ${since}`);
    }
    const open = this.simulation.openHandles();
    if (open !== 0) this.#violate('descriptors are left open', String(open));
    world.judge.note('end');
  }
}
