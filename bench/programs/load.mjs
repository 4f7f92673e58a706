// Runs one of test/programs/loads whenever its parent asks for some seconds of it.
//
//   node [--import iocp-net/register] load.mjs NAME '{"port":8080}' [LANES]
//
// Each lane does its next operation when the last is over. Without LANES there are as many, and
// each operation is as much at once, as the load says. Asked `{ run: seconds }` it tells
// `{ at: 'begin' }`, `{ at: 'end', operations, seconds }`, and `{ at: 'idle' }` when nothing is
// under way any more.
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';

const [, , name, place, asked] = process.argv;
process.once('disconnect', () => process.exit(1));
const load = await import(`../../test/programs/loads/${name}.mjs`);
const lanes = asked ? Number(asked) : load.lanes;
const each = asked ? 1 : (load.each ?? 1);

let operations = 0;

async function runUntil(time, operation) {
  while (performance.now() < time) {
    await operation();
    operations += each;
  }
}

function backend() {
  const isOurs = process.execArgv.includes('iocp-net/register');
  if (!isOurs) return undefined;
  return createRequire(import.meta.url)('../../dist/entry/engine.cjs').engine.backend;
}

const opened = await Promise.all(
  Array.from({ length: lanes }, (_, lane) => load.open(JSON.parse(place), lane, each)),
);

process.on('message', async ({ run: seconds }) => {
  process.send({ at: 'begin' });
  const [begun, before] = [performance.now(), operations];
  // What fails here ends the process, and the parent hears of it.
  const running = opened.map((operation) => runUntil(begun + seconds * 1000, operation));
  await setTimeout(seconds * 1000);
  process.send({
    at: 'end',
    operations: operations - before,
    seconds: (performance.now() - begun) / 1000,
    backend: backend(),
  });
  await Promise.all(running);
  process.send({ at: 'idle' });
});
process.send({ at: 'open' });
