// The test suites of other people's projects that scripts/test-suites.mjs runs: how each is started
// by the package itself, less what measures coverage, and what needs a download or a browser.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts } from '../programs/daemons/daemon.mjs';
import { redis } from '../programs/daemons/redis.mjs';

const reporter = (name) => fileURLToPath(new URL(name, import.meta.url));
const mochaReporter = reporter('mocha-reporter.cjs');
const nodeReporter = reporter('node-reporter.mjs');

/** What `node` gets, to run these files with results in our form. */
export const runners = {
  mocha: (args, files) => [
    ...['node_modules/.bin/mocha', ...args, '--reporter', mochaReporter, ...files],
  ],
  borp: (args, files) => [
    ...['node_modules/.bin/borp', ...args, '--reporter', nodeReporter, ...files],
  ],
  node: (args, files) => [
    ...[...args, '--test', '--test-reporter', nodeReporter],
    ...['--test-reporter-destination', 'stdout', ...files],
  ],
};

/** Files in a folder of the checkout, by name, with `/**` at its end in those below as well. */
function filesIn(checkout, pattern, name) {
  const folder = pattern.replace(/\/\*\*$/, '');
  return readdirSync(join(checkout, folder), { recursive: folder !== pattern })
    .filter((file) => name.test(file))
    .map((file) => `${folder}/${file}`)
    .sort();
}

const redisPort = 6379;

async function lackOfRedis() {
  if (redis.server === undefined) return 'redis-server is not installed';
  // Its tests empty the database.
  if (await accepts(redisPort)) return `somebody listens on port ${redisPort}, which it wants`;
  return undefined;
}

const undiciFolders = [
  ...['test', 'test/busboy', 'test/cache', 'test/cache-interceptor', 'test/cookie'],
  ...['test/eventsource', 'test/fetch', 'test/infra', 'test/interceptors', 'test/node-fetch/**'],
  ...['test/node-test/**', 'test/subresource-integrity', 'test/webidl', 'test/websocket/**'],
];

/**
 * @typedef {object} Suite
 * @property {string} name  of the folder of its checkout
 * @property {keyof typeof runners} runner
 * @property {string[]} [scripts]  of its package.json, to run before
 * @property {object} [env]
 * @property {(checkout: string) => string[]} args
 * @property {(checkout: string) => string[]} files
 * @property {() => Promise<string | undefined>} [lack]  what it would need and is not here
 * @property {object} [daemon]  a server it talks with
 */

/** @type {Suite[]} */
export const suites = [
  {
    name: 'ws',
    runner: 'mocha',
    // A server that a failed test leaves open would keep mocha for ever.
    args: () => ['--throw-deprecation', '--exit'],
    files: (checkout) => filesIn(checkout, 'test', /\.test\.js$/),
  },
  {
    name: 'undici',
    runner: 'borp',
    scripts: ['generate-pem', 'build:node'],
    args: () => ['--timeout', '180000', '--expose-gc', '--concurrency', '1'],
    files: (checkout) => undiciFolders.flatMap((folder) => filesIn(checkout, folder, /\.js$/)),
  },
  {
    name: 'fastify',
    runner: 'borp',
    args: () => [],
    files: (checkout) => filesIn(checkout, 'test/**', /\.test\.m?js$/),
  },
  {
    name: 'ioredis',
    runner: 'mocha',
    env: { TS_NODE_TRANSPILE_ONLY: 'true', NODE_ENV: 'test' },
    args: (checkout) => [
      '--no-experimental-strip-types',
      ...filesIn(checkout, 'test/helpers', /\.ts$/).flatMap((file) => ['--file', file]),
    ],
    files: (checkout) =>
      ['test/unit/**', 'test/functional/**'].flatMap((folder) =>
        filesIn(checkout, folder, /\.ts$/),
      ),
    lack: lackOfRedis,
    daemon: { ...redis, port: redisPort },
  },
  {
    name: 'MQTT.js',
    runner: 'node',
    // A child that is not up within five seconds fails a test, and then keeps the run for ever.
    env: { TS_NODE_TRANSPILE_ONLY: 'true' },
    // One file at a time: they measure time.
    args: () => ['--require', 'esbuild-register', '--test-concurrency', '1'],
    files: (checkout) => filesIn(checkout, 'test/node', /\.ts$/),
  },
];
