/**
 * Runs scenarios in this process, one after the other. Started by `scripts/test-sim.mjs`, with the
 * simulated clock.
 *
 *   main.js --from N --to N [--every N]     prints a line for each, up to the first that fails
 *   main.js --one N [--keep 0,3,4] [--print]  one, or only these of its steps
 */
import { parseArgs } from 'node:util';
import { engine } from 'iocp-net/engine';
import { Runner } from './run';
import { loadSimulation } from './simulation';
import { generate, type Scenario } from './steps';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '0' },
    every: { type: 'string', default: '1' },
    one: { type: 'string' },
    keep: { type: 'string' },
    print: { type: 'boolean', default: false },
  },
});

const WARM_UP = 1;

const simulation = loadSimulation();
if (!simulation.useClock()) throw new Error('the simulated clock is not loaded');
engine.configure({
  helper: 'never',
  receiveBytes: Number(process.env['SIMULATED_RECEIVE_BYTES'] ?? 1 << 20),
  sendBytes: Number(process.env['SIMULATED_SEND_BYTES'] ?? 1 << 18),
});
if (engine.backend === 'node') throw new Error('the simulated addon does not serve');

function withSteps(scenario: Scenario, keep: string | undefined): Scenario {
  if (keep === undefined) return scenario;
  const kept = new Set(keep.split(',').map(Number));
  return { ...scenario, steps: scenario.steps.filter((_, index) => kept.has(index)) };
}

async function main(): Promise<number> {
  const runner = new Runner(simulation);
  runner.isVerbose = values.print;
  const [from, to] =
    values.one === undefined
      ? [Number(values.from), Number(values.to)]
      : [Number(values.one), Number(values.one) + 1];
  // None is the first on its engine: what that does once was done before.
  const numbers = [WARM_UP];
  for (let number = from; number < to; number += Number(values.every)) numbers.push(number);
  for (const [index, number] of numbers.entries()) {
    const scenario = withSteps(generate(number), index === 0 ? undefined : values.keep);
    const { violation, record } = await runner.run(scenario);
    if (violation === null) {
      if (index > 0) console.log(`ok - ${number} ${record}`);
      continue;
    }
    console.log(
      `not ok - ${number} ${JSON.stringify({ ...violation, steps: scenario.steps.length })}`,
    );
    return 1;
  }
  return 0;
}

void main().then((code) => process.exit(code));
