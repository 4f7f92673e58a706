/**
 * More than one copy of our modules in a process: a registry of modules that is reset, a context of
 * a test runner's, another version beside ours. One engine serves all of one version.
 */
import t from 'tap';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../support/child';

const netEntry = require.resolve('iocp-net');
const root = dirname(dirname(dirname(netEntry)));

// What node:net serves has no engine.
const nodeServes = process.env['IOCP_NET_BACKEND'] === 'node' ? { skip: 'node:net serves' } : {};

const prelude = `
const { readdirSync } = require('node:fs');
const counted = () => [
  process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0,
  process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
  process.listenerCount('exit'),
];
process.on('warning', (warning) => console.log(String(warning)));
const echo = (net) => new Promise((resolve, reject) => {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', () => socket.end());
    socket.once('close', () => server.close(resolve));
    socket.write('echoed');
  });
});
const forget = () => {
  for (const key of Object.keys(require.cache)) delete require.cache[key];
};
// By a new parent each time, since a parent keeps its children.
const { createRequire } = require('node:module');
const load = (folder, name) => createRequire(folder + '/by.js')('./dist/entry/' + name + '.cjs');
const root = ${JSON.stringify(root)};
`;

async function printed(program: string, execArgv: string[] = []): Promise<unknown> {
  const whole = `${prelude} (async () => { ${program} })();`;
  const { stdout, stderr } = await run(whole, 40_000, { execArgv });
  return [...stdout.trim().split('\n'), stderr];
}

t.test('a registry that is reset leaves nothing but the first engine', nodeServes, async (test) => {
  const output = await printed(`
    await echo(load(root, 'net'));
    const before = counted();
    for (let reset = 0; reset < 10; reset++) {
      forget();
      await echo(load(root, 'net'));
    }
    const after = counted();
    console.log(after.every((count, index) => count <= before[index]), before[2]);
    forget();
    const { engine } = load(root, 'engine');
    console.log(engine.stats().operations.accept.completed, process._getActiveHandles.name);
    console.log(engine.backend !== 'node', engine.stats().operations.connect.completed);`);
  test.strictSame(output, ['true 1', '11 _getActiveHandles', 'true 11', '']);
});

t.test('a copy that is forgotten is collected, the first excepted', nodeServes, async (test) => {
  const program = `
    require('node:child_process'); // whose functions are replaced for all copies
    const copies = [];
    const once = async () => {
      const net = load(root, 'net');
      copies.push(new WeakRef(net.Socket));
      await echo(net);
      forget();
    };
    for (let reset = 0; reset < 5; reset++) await once();
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      gc();
    }
    console.log(...copies.map((copy) => copy.deref() !== undefined));`;
  const output = await printed(program, ['--expose-gc']);
  test.strictSame(output, ['true false false false false', '']);
});

t.test('a copy is set up as the engine is, or not at all', nodeServes, async (test) => {
  const output = await printed(`
    const configure = (options) => {
      try { load(root, 'engine').engine.configure(options); console.log('done'); }
      catch ({ code }) { console.log(code); }
    };
    configure({ linger: 5 });
    await echo(load(root, 'net'));
    configure({ linger: 5 });
    forget();
    configure({ linger: 5 });
    configure({ linger: 6 });`);
  test.strictSame(output, ['done', 'ERR_INVALID_STATE', 'done', 'ERR_INVALID_STATE', '']);
});

// As Jest does it: the modules of a test run in a context whose globals are taken away afterwards.
t.test('the engine outlives the context that opened it', nodeServes, async (test) => {
  const output = await printed(`
    const vm = require('node:vm');
    const path = require('node:path');
    const inContext = () => {
      const context = vm.createContext({ process, Buffer, queueMicrotask, setImmediate, setTimeout });
      const loaded = new Map();
      const load = (file) => {
        if (loaded.has(file)) return loaded.get(file).exports;
        const module = { exports: {} };
        loaded.set(file, module);
        const wrapper = '(function (exports, require, module, __filename, __dirname) {';
        const text = require('node:fs').readFileSync(file, 'utf8');
        const made = vm.runInContext(wrapper + text + '})', context, { filename: file });
        const ask = (name) =>
          name.startsWith('.') ? load(path.resolve(path.dirname(file), name)) : require(name);
        made(module.exports, ask, module, file, path.dirname(file));
        return module.exports;
      };
      return { context, load: (name) => load(path.join(root, 'dist/entry', name + '.cjs')) };
    };
    for (let test = 0; test < 3; test++) {
      const { context, load } = inContext();
      await echo(load('net'));
      console.log(load('engine').engine.stats().operations.accept.completed);
      for (const name of Object.keys(context)) delete context[name];
    }
    console.log(counted()[2]);`);
  test.strictSame(output, ['1', '2', '3', '1', '']);
});

t.test('two versions beside each other, each with its own engine', nodeServes, async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const each of ['dist', 'prebuilds', 'build/Release/iocp_net.node', 'package.json']) {
    try {
      cpSync(join(root, each), join(folder, each), { recursive: true });
    } catch {
      // not everything is there everywhere
    }
  }
  const gypBuild = dirname(require.resolve('node-gyp-build/package.json'));
  cpSync(gypBuild, join(folder, 'node_modules/node-gyp-build'), { recursive: true });
  const main = join(folder, 'dist/main.js');
  const text = readFileSync(main, 'utf8');
  writeFileSync(main, text.replace(/"version":"[^"]+"/, '"version":"0.0.1"'));
  const output = await printed(`
    const other = ${JSON.stringify(folder)};
    for (const each of [other, root, other, root]) await echo(load(each, 'net'));
    for (const each of [other, root]) {
      const { operations, ports } = load(each, 'engine').engine.stats();
      console.log(operations.accept.completed, ports[0].driver);
    }`);
  // The loop can wait for one only.
  test.strictSame(output, ['2 loop', '2 thread', '']);
});
