// Runs one of clients/ as a program of its own, and tells its parent what it found.
//
//   node [--import iocp-net/register] client.mjs clients/pg.mjs '{"port":5432, …}'
import { once } from 'node:events';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [, , file, place] = process.argv;
const tell = (message) => new Promise((resolve) => process.send(message, resolve));

/** What of an error a program can act upon. */
function told(error) {
  if (!(error instanceof Error)) return error;
  const { name, code, syscall, address, port, message, cause, errors } = error;
  return {
    ...{ name, code, syscall, address, port, message },
    ...(cause && { cause: told(cause) }),
    ...(errors && { errors: errors.map(told) }),
  };
}

async function order(what) {
  const done = once(process, 'message');
  await tell({ order: what });
  await done;
}

const { run } = await import(new URL(file, import.meta.url));

await run({
  ...JSON.parse(place),
  async check(name, work) {
    try {
      await work();
      await tell({ passed: name });
    } catch (error) {
      await tell({ failed: name, why: String(error.stack) });
    }
  },
  /** Compared between the program on our core and the same on Node's own. */
  record: (name, value) => tell({ recorded: name, value: told(value) }),
  stopServer: () => order('stop'),
  startServer: () => order('start'),
});

const { engine } = require('../../dist/entry/engine.cjs');
await tell({ backend: engine.backend, stats: engine.stats() });
process.disconnect();
