/** TAP, as much of it as these programs need: their load leaves no time for more. */
import { isControl, isFull, loadEngine, netName, seed } from './settings';
import { within } from './within';

let count = 0;
let failed = 0;

const FAREWELL_MS = 10_000;

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function note(text: string): void {
  line(`# ${text}`);
}

function diagnose(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  line('  ---');
  line(`  seed: ${seed}`);
  line('  error: |');
  for (const each of text.split('\n').slice(0, 60)) line(`    ${each}`);
  line('  ...');
}

export function skip(name: string, reason: string): void {
  line(`ok ${++count} - ${name} # SKIP ${reason}`);
}

/** One check: fails if `run` throws or takes longer than `seconds`. What it returns is printed. */
export async function check(
  name: string,
  seconds: number,
  run: () => Promise<string | void> | string | void,
): Promise<void> {
  const started = performance.now();
  try {
    const detail = await within(seconds, (async () => run())());
    const took = ((performance.now() - started) / 1000).toFixed(1);
    line(`ok ${++count} - ${name}${detail ? `: ${detail}` : ''} (${took} s)`);
  } catch (error) {
    failed++;
    line(`not ok ${++count} - ${name}`);
    diagnose(error);
  }
}

/** A load test that passes because node:net has served proves nothing. */
function checkBackend(): void {
  if (isControl) return;
  const { backend } = loadEngine();
  note(`backend: ${backend}`);
  if (backend === 'node' && isFull) throw new Error('node:net serves in place of the core');
}

/** Runs a test program: its checks, the plan, and an end in any case. */
export function program(name: string, run: () => Promise<void>): void {
  line('TAP version 14');
  note(`${name}: ${netName} on Node ${process.version}, IOCP_NET_LOAD_SEED=${seed}`);
  // Asynchronously, so that what it throws is reported.
  (async () => {
    checkBackend();
    await run();
  })()
    .catch((error: unknown) => {
      failed++;
      line(`not ok ${++count} - ${name}`);
      diagnose(error);
    })
    .finally(() => {
      line(`1..${count}`);
      process.exitCode = failed === 0 ? 0 : 1;
      // What still holds the loop now is a leak, unless a failure left it behind.
      const timer = setTimeout(() => {
        const held = process.getActiveResourcesInfo().join(', ');
        console.error(`${name} does not end by itself, because of: ${held}`);
        process.exit(3);
      }, FAREWELL_MS);
      timer.unref(); // Only fires while something else holds the loop.
    });
}
