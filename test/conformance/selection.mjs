// Which of Node's test files are run, and what each wants to be run with.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folders = ['parallel', 'sequential', 'async-hooks'];

const loads = (names) =>
  new RegExp(`\\b(?:require\\(|from |import\\()['"](?:node:)?(?:${names})['"]`);
const loadsNet = loads('net');
const usersOfNet = '_?https?(?:_\\w+)?|http2|tls|inspector|quic';
const loadsUser = loads(`${usersOfNet}|dgram`);
const loadsDgram = loads('dgram');
const loadsOthers = loads(usersOfNet);

/**
 * The sets. `net`: what loads net and nothing that Node builds on its own net. `neighbours`: what
 * loads both; there the other module stays on Node's net. `http`: the tests of those modules, for
 * `--register`. `dgram`: what loads dgram, which is the module to replace there.
 */
const sets = {
  net: (name, text) => loadsNet.test(text) && !loadsUser.test(text),
  neighbours: (name, text) => loadsNet.test(text) && loadsUser.test(text),
  dgram: (name, text) => loadsDgram.test(text) && !loadsOthers.test(text),
  http: (name) => /\/test-(?:https?|http2|tls)-/.test(name),
};

export const setNames = Object.keys(sets);

/** The builtin that is replaced in the tests of a set. */
export const moduleOf = (set) => (set === 'dgram' ? 'dgram' : 'net');

/** Every test of a set, as `folder/file`. */
export function testsOf(set, testsFolder) {
  return folders
    .filter((folder) => existsSync(join(testsFolder, folder)))
    .flatMap((folder) =>
      readdirSync(join(testsFolder, folder))
        .filter((file) => /^test-.*\.[cm]?js$/.test(file))
        .map((file) => `${folder}/${file}`),
    )
    .filter((name) => sets[set](name, readFileSync(join(testsFolder, name), 'utf8')))
    .sort();
}

/** The tests a list file names, one a line; what follows `#` is a comment. */
export function testsOfList(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** What the comments at the head of a test ask for: flags of node, and environment. */
export function wishesOf(file) {
  const head = readFileSync(file, 'utf8').slice(0, 4000);
  const words = (label) => {
    const line = new RegExp(`^//\\s*${label}:(.*)$`, 'm').exec(head)?.[1] ?? '';
    return line.split(/\s+/).filter((word) => word !== '');
  };
  const env = words('Env').map((pair) => pair.split(/=(.*)/s, 2));
  return { flags: words('Flags'), env: Object.fromEntries(env) };
}

/** Whether a test must not share the machine with another: it uses fixed ports, or counts. */
export const runsAlone = (name) => !name.startsWith('parallel/');
