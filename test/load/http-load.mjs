// examples/http-server.mjs under curl, wrk and autocannon: no error, no answer but 200, no timeout.
//
//   node test/load/http-load.mjs [--seconds 10] [--wine [--node 24]]
//
// With --wine the server runs in node.exe, loaded from here. Prints TAP.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../../scripts/free-port.mjs';
import { openLoadedWindows } from '../../scripts/windows-session.mjs';

const require = createRequire(import.meta.url);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const program = join(root, 'examples/http-server.mjs');

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    wine: { type: 'boolean', default: false },
    node: { type: 'string', default: '24' },
  },
});
const seconds = Number(values.seconds);
const postBytes = 4 * 1024 * 1024;
const startMs = 60_000;

/** What would outlive us if we were told to end. */
const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(1);
  });
}

/** Starts the server; `stop` ends it and tells how it ended. */
async function startServer(port) {
  const env = { PORT: String(port) };
  if (values.wine) {
    const windows = await openLoadedWindows();
    const running = windows.run({
      node: values.node,
      args: [program],
      env,
      timeout: 6 * seconds + 120,
    });
    return {
      ended: running.then(({ code, stderr }) => `exit code ${code}: ${stderr}`),
      // Nothing asks a Windows program to end.
      stop: () => windows.close().then(() => null),
    };
  }
  const child = spawn(process.execPath, [program], {
    cwd: root,
    env: { ...process.env, LD_PRELOAD: process.env.SERVER_PRELOAD ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  child.stdout.on('data', (text) => process.stdout.write(`# ${text}`));
  const exit = once(child, 'exit');
  return {
    ended: exit.then(([code, signal]) => `exit code ${code}, signal ${signal}`),
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const [code, signal] = await exit;
      clearTimeout(timer);
      return code === 0 ? null : `the server ended with ${code}, ${signal}`;
    },
  };
}

async function answers(url, server) {
  let ended = null;
  void server.ended.then((how) => (ended = how));
  const deadline = Date.now() + startMs;
  while (Date.now() < deadline) {
    if (ended !== null) throw new Error(`the server has ended: ${ended}`);
    try {
      if ((await fetch(url)).status === 200) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('the server does not answer');
}

/** Not spawnSync where the server's news must be heard meanwhile. */
async function run(command, args, input) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const parts = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (part) => parts[name].push(part));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  const stdout = Buffer.concat(parts.stdout);
  const stderr = Buffer.concat(parts.stderr).toString();
  if (code !== 0) throw new Error(`${command} exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}

/** One request after the other on kept connections, in batches of new connections. */
async function curl(url) {
  const deadline = Date.now() + seconds * 1000;
  let requests = 0;
  while (Date.now() < deadline) {
    const args = ['-sS', '--max-time', '20', '-o', '/dev/null', '-w', '%{http_code}\\n'];
    const codes = String(await run('curl', [...args, `${url}?[1-200]`]))
      .trim()
      .split('\n');
    const bad = codes.filter((code) => code !== '200');
    if (codes.length !== 200 || bad.length > 0) throw new Error(`${codes.length}: ${bad}`);
    requests += codes.length;
  }
  return `${requests} requests`;
}

async function curlPost(url) {
  const body = randomBytes(postBytes);
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const args = ['-sS', '--max-time', '60', '--data-binary', '@-', url];
  const answer = await run('curl', args, body);
  if (hash(answer) !== hash(body)) throw new Error(`${answer.length} bytes, or others`);
  return `${answer.length} bytes back`;
}

async function wrk(url) {
  const text = String(await run('wrk', ['-t1', '-c64', `-d${seconds}s`, '--timeout', '10s', url]));
  const bad = /^.*(Socket errors|Non-2xx).*$/gm.exec(text);
  if (bad) throw new Error(text);
  const [, rate] = /Requests\/sec:\s*([\d.]+)/.exec(text) ?? [];
  if (!(Number(rate) > 0)) throw new Error(text);
  return `${rate} requests/s`;
}

async function autocannon(url) {
  const binary = require.resolve('autocannon');
  const args = [binary, '-c', '100', '-p', '10', '-d', String(seconds), '-j', '-n', url];
  const result = JSON.parse(String(await run(process.execPath, args)));
  const { errors, timeouts, non2xx, mismatches, requests } = result;
  if (errors + timeouts + non2xx + mismatches > 0 || requests.total === 0) {
    throw new Error(JSON.stringify({ errors, timeouts, non2xx, mismatches, requests }));
  }
  return `${requests.average} requests/s`;
}

const isInstalled = (command) => spawnSync(command, ['--version']).error === undefined;

let count = 0;
let failed = 0;
async function check(name, work) {
  try {
    const detail = await work();
    console.log(`ok ${++count} - ${name}${detail ? `: ${detail}` : ''}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${++count} - ${name}`);
    console.log(String(error.stack).replace(/^/gm, '  # '));
  }
}

console.log('TAP version 14');
const url = `http://127.0.0.1:${await freePort()}/`;
const server = await startServer(new URL(url).port);
try {
  await check('the server answers', () => answers(url, server));
  for (const [name, command, work] of [
    ['curl', 'curl', curl],
    ['curl, a large body there and back', 'curl', curlPost],
    ['wrk -c64', 'wrk', wrk],
    ['autocannon -c 100 -p 10', process.execPath, autocannon],
  ]) {
    if (isInstalled(command)) await check(name, () => work(url));
    else console.log(`ok ${++count} - ${name} # SKIP not installed`);
  }
} finally {
  await check('the server ends', async () => {
    const fault = await server.stop();
    if (fault) throw new Error(fault);
  });
}
console.log(`1..${count}`);
process.exitCode = failed > 0 ? 1 : 0;
