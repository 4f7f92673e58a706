// Runs one of test/programs/loads for some seconds, and tells its parent what it did.
//
//   node [--import iocp-net/register] load.mjs NAME '{"port":8080}' '{"warm":0.5,"seconds":1}'
//
// Each lane does its next operation when the last is over. Tells `{ at: 'begin' }` and
// `{ at: 'end', operations, seconds }`.
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';

const [, , name, place, times] = process.argv;
const { warm, seconds } = JSON.parse(times);
process.once('disconnect', () => process.exit(1));
const load = await import(`../../test/programs/loads/${name}.mjs`);
const { each = 1, lanes, open } = load;

let operations = 0;

async function run(operation) {
  for (;;) {
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
  Array.from({ length: lanes }, (_, lane) => open(JSON.parse(place), lane)),
);
// What fails here ends the process, and the parent hears of it.
for (const operation of opened) void run(operation);

await setTimeout(warm * 1000);
process.send({ at: 'begin' });
const [begun, before] = [performance.now(), operations];
await setTimeout(seconds * 1000);
const told = {
  at: 'end',
  operations: operations - before,
  seconds: (performance.now() - begun) / 1000,
  backend: backend(),
};
// Goes on until its parent has read what it cost, and ends it.
process.send(told);
