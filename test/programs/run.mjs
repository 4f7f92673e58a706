// Starts each program, sends it its traffic and asks it whether its sockets were on the core.
// Run by scripts/test-programs.mjs.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeBinary } from '../../scripts/node-versions.mjs';
import { openLoadedWindows } from '../load/windows-session.mjs';
import { root, startProgram, within } from './program.mjs';
import { exampleCopies, servers } from './servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wine: { type: 'boolean', default: false },
    node: { type: 'string' },
    // Without the hook: what fails then, too, is not our doing.
    control: { type: 'boolean', default: false },
  },
});

const checkMs = values.wine ? 120_000 : 40_000;
const node = values.node === undefined ? process.execPath : nodeBinary('linux', values.node);
const platform = values.wine ? `node.exe ${values.node ?? '24'}` : 'Linux';

const total = { passed: 0, failed: 0 };
let line = 0;

/** The checks of one program. Nothing stops at the first that fails. */
class Report {
  #started = Date.now();
  #passed = 0;
  #failures = [];
  #skipped = [];

  constructor(name) {
    this.name = name;
  }

  check = async (name, work) => {
    try {
      await within(checkMs, name, work());
      this.#passed++;
    } catch (error) {
      this.#failures.push(`${name}: ${error.stack}`);
    }
  };

  skip = (name, reason) => this.#skipped.push(`${name} (${reason})`);

  print() {
    total.passed += this.#passed;
    total.failed += this.#failures.length;
    const seconds = ((Date.now() - this.#started) / 1000).toFixed(1);
    const verdict = this.#failures.length > 0 ? 'not ok' : 'ok';
    const skipped = this.#skipped.length > 0 ? `, without ${this.#skipped.join(', ')}` : '';
    console.log(
      `${verdict} ${++line} - ${this.name}, ${platform}: ${this.#passed} passed, ` +
        `${this.#failures.length} failed${skipped} in ${seconds} s`,
    );
    for (const failure of this.#failures) console.log(failure.replace(/^/gm, '  # '));
  }
}

/** What libuv has no part in: no stream, server or pending connect of its own. */
const ofLibuv = /^(TCP|Pipe)(Socket|Server|Connect)/;

function isOnCore({ backend, stats, resources }, least) {
  assert.equal(backend, values.wine ? 'iocp' : 'io_uring');
  assert.deepEqual(
    resources.filter((each) => ofLibuv.test(each)),
    [],
  );
  for (const [operation, count] of Object.entries(least)) {
    const done = stats.operations[operation]?.completed ?? 0;
    assert.ok(done >= count, `${operation}: ${done}, not ${count}`);
  }
  assert.ok(stats.bytesReceived > 0 && stats.bytesSent > 0);
}

async function runServer(server, windows) {
  const { name, file, traffic, env, switched, least = { accept: 1 } } = server;
  const preload = switched || values.control ? [] : undefined;
  const report = new Report(name);
  let program;
  await report.check('starts', async () => {
    program = await startProgram({ file, env: await env?.(), node, windows, preload });
  });
  if (program) {
    await traffic({ ...server, port: program.port, check: report.check, skip: report.skip });
    if (!values.control) {
      await report.check('is on the core', async () => isOnCore(await program.state(), least));
    }
    await report.check('ends', () => program.stop());
  }
  report.print();
}

const isWanted = ({ name }) =>
  positionals.length === 0 || positionals.some((part) => name.includes(part));

console.log('TAP version 14');
mkdirSync(exampleCopies, { recursive: true });
cpSync(join(root, 'examples'), exampleCopies, { recursive: true });

const windows = values.wine ? await openLoadedWindows() : undefined;
try {
  for (const server of servers.filter(isWanted)) {
    if (!windows || server.onWindows) await runServer(server, windows);
  }
} finally {
  await windows?.close();
}
console.log(`1..${line}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
