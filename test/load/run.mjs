// The load tests in full.
//
//   npm run test:load -- [--wine [--node 24]] [--quick] [--runs N] [--seed N] [--net node:net]
//                        [--minutes N] [--samples FILE] [part of a file name…]
//
// Natively about ten minutes on two cores; --net node:net is the control. Then HTTP load, by
// http-load.mjs. --minutes and --samples are for the soak. Ends with "N passed, N failed".
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { countTap } from '../../scripts/tap-count.mjs';
import { openLoadedWindows, windowsPath } from '../../scripts/windows-session.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wine: { type: 'boolean', default: false },
    node: { type: 'string', default: '24' },
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seed: { type: 'string' },
    net: { type: 'string', default: 'iocp-net' },
    minutes: { type: 'string' },
    samples: { type: 'string' },
  },
});

/** A soak stops by itself long before. */
const secondsPerFile = Math.max(1200, 120 * Number(values.minutes ?? 0));

const shownPath = (path) => (values.wine ? windowsPath(resolvePath(path)) : resolvePath(path));

const env = {
  IOCP_NET_LOAD: values.quick ? 'quick' : 'full',
  IOCP_NET_LOAD_NET: values.net,
  ...(values.net === 'node:net' && { IOCP_NET_BACKEND: 'node' }),
  ...(values.runs && { IOCP_NET_LOAD_RUNS: values.runs }),
  ...(values.seed && { IOCP_NET_LOAD_SEED: values.seed }),
  ...(values.minutes && { IOCP_NET_LOAD_MINUTES: values.minutes }),
  ...(values.samples && { IOCP_NET_LOAD_SAMPLES: shownPath(values.samples) }),
};

const total = { passed: 0, failed: 0 };

function count(name, output, code) {
  const { passed, failed } = countTap(output, code);
  total.passed += passed;
  total.failed += failed;
  console.log(`# ${name}: ${passed} passed, ${failed} failed`);
}

/** Prints what the program prints, as it comes. */
function runHere(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: secondsPerFile * 1000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += text;
      process.stdout.write(text);
    });
    child.once('close', (code) => resolve({ stdout, code: code ?? 128 }));
  });
}

function files() {
  const folder = join(root, 'build/test/load');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => positionals.every((part) => file.includes(part)))
    .map((file) => join(folder, file))
    .sort();
}

async function runNatively() {
  for (const file of files()) {
    const { stdout, code } = await runHere([file]);
    count(file.slice(root.length + 1), stdout, code);
  }
}

async function runUnderWine() {
  const windows = await openLoadedWindows();
  try {
    for (const file of files()) {
      const options = { node: values.node, args: [file], env, timeout: secondsPerFile };
      const { stdout, stderr, code } = await windows.run(options);
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      count(`Wine, Node ${values.node}, ${file.slice(root.length + 1)}`, stdout, code);
    }
  } finally {
    await windows.close();
  }
}

build({ tests: true });
if (values.wine) await runUnderWine();
else await runNatively();
if (positionals.length === 0 || positionals.includes('http')) {
  const args = [join(root, 'test/load/http-load.mjs')];
  if (values.wine) args.push('--wine', '--node', values.node);
  if (values.quick) args.push('--seconds', '3');
  const { stdout, code } = await runHere(args);
  count('http-load', stdout, code);
}

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
