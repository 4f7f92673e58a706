/** `engine.configure({ ports })`: ports by classes of traffic, and who drives them. */
import t from 'tap';
import { engine } from 'iocp-net/engine';
import { entryFile, load, run, runAsFile } from '../support/child';

// Each of many workers takes a second where the machine is busy.
t.setTimeout(120_000);

// What node:net serves has no ports.
const onCore = { skip: engine.backend === 'node' && 'node:net serves' };
/** Who drives a second port without a thread of its own. */
const second = engine.backend === 'epoll' ? 'loop' : 'thread';

/** Each in a worker, which has an engine of its own. Prints the ports of each, or what was thrown. */
const shown = (options: readonly string[]): string => `
  const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
  const { once } = require('node:events');
  ${load('engine')}
  const show = ({ classes, driver }) => classes.join('+') + ':' + driver;
  const open = (options) => {
    try {
      engine.engine.configure(options);
      engine.engine.backend;
      return engine.engine.stats().ports.map(show).join(' ');
    } catch ({ name, code, message }) {
      return name + ' ' + code + ' ' + message;
    }
  };
  const all = async () => {
    for (const options of ${JSON.stringify(options)}) {
      const worker = new Worker(__filename, { workerData: options });
      worker.on('message', (text) => console.log(text));
      await once(worker, 'exit');
    }
  };
  if (isMainThread) all();
  else parentPort.postMessage(open((0, eval)('(' + workerData + ')')));`;

async function shownOf(options: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await runAsFile(shown(options), 60_000);
  const lines = stdout.trim().split('\n');
  return options.map((_, index) => lines[index] ?? stderr);
}

const all = 'stream+datagram+broadcast+multicast';

const good: readonly (readonly [options: string, ports: string])[] = [
  ['{}', `${all}:loop`],
  ['{ ports: 2 }', `${all}:thread ${all}:thread`],
  ['{ ports: {} }', `${all}:loop`],
  ['{ ports: { stream: undefined } }', `${all}:loop`],
  ['{ ports: { stream: 1 } }', `${all}:thread`],
  ['{ ports: { stream: 2 } }', `${all}:thread ${all}:thread`],
  ['{ ports: { multicast: true } }', `stream+datagram+broadcast:loop multicast:${second}`],
  ['{ ports: { datagram: {} } }', `stream:loop datagram+broadcast+multicast:${second}`],
  [
    '{ ports: { multicast: { thread: true }, broadcast: true, datagram: { thread: false } } }',
    `stream:loop datagram:${second} broadcast:${second} multicast:thread`,
  ],
  // The loop waits in the first that it drives.
  [
    '{ ports: { stream: 2, datagram: true } }',
    'stream:thread stream:thread datagram+broadcast+multicast:loop',
  ],
  [
    "{ helper: 'always', ports: { multicast: { core: 0 } } }",
    'stream+datagram+broadcast:thread multicast:thread',
  ],
  [
    "{ helper: 'auto', affinity: 'none', ports: { stream: {}, multicast: { thread: true, core: 0 } } }",
    'stream+datagram+broadcast:loop multicast:thread',
  ],
  [
    "{ helper: 'never', affinity: [0], ports: { multicast: {} } }",
    `stream+datagram+broadcast:loop multicast:${second}`,
  ],
  // Members of others' objects are no options.
  ['{ ports: Object.create({ multicast: true }) }', `${all}:loop`],
];

t.test('which ports there are', onCore, async (test) => {
  const found = await shownOf(good.map(([options]) => options));
  for (const [index, [options, ports]] of good.entries()) test.equal(found[index], ports, options);
});

const bad: readonly (readonly [options: string, message: RegExp])[] = [
  ['{ ports: null }', /'ports' is invalid: it must be an integer from 1 to 64, or an object. Rec/],
  ['{ ports: 65 }', /'ports'.*from 1 to 64/],
  ['{ ports: [1] }', /'ports'.*or an object/],
  ['{ ports: true }', /'ports'.*or an object/],
  ['{ ports: { unicast: true } }', /'ports.unicast'.*stream, datagram, broadcast, multicast/],
  ['{ ports: { stream: 0 } }', /'ports.stream'.*from 1 to 64, true or an object/],
  ['{ ports: { stream: 1.5 } }', /'ports.stream'/],
  ["{ ports: { stream: '1' } }", /'ports.stream'/],
  ['{ ports: { datagram: 2 } }', /'ports.datagram'.*true or an object/],
  ['{ ports: { multicast: false } }', /'ports.multicast'.*true or an object/],
  ['{ ports: { multicast: { threads: true } } }', /'ports.multicast.threads'.*thread, core/],
  ['{ ports: { multicast: { thread: 1 } } }', /'ports.multicast.thread'.*true or false/],
  ['{ ports: { multicast: { thread: true, core: -1 } } }', /'ports.multicast.core'.*from 0/],
  ['{ ports: { multicast: { core: 0 } } }', /'ports.multicast.core'.*thread: true/],
  ["{ helper: 'never', ports: { multicast: { thread: true } } }", /'helper'.*ports.multicast asks/],
  ["{ helper: 'never', ports: { stream: 1 } }", /'helper'.*ports.stream asks/],
  ["{ helper: 'auto', ports: { stream: { thread: true } } }", /'helper'.*ports.stream asks/],
  ["{ helper: 'always', ports: { datagram: { thread: false } } }", /'ports.datagram.thread'/],
  [
    "{ affinity: 'auto', ports: { multicast: { thread: true, core: 0 } } }",
    /'affinity'.*ports.multicast.core/,
  ],
];

t.test('what is wrong is said, and by which name', async (test) => {
  const found = await shownOf(bad.map(([options]) => options));
  for (const [index, [options, message]] of bad.entries()) {
    test.match(found[index], /^RangeError ERR_INVALID_ARG_VALUE /, options);
    test.match(found[index], message, options);
  }
});

t.test('what was said before counts', async (test) => {
  const { stdout } = await run(`${load('engine')}
    const { configure } = engine.engine;
    configure({ ports: { multicast: { thread: true } } });
    try { configure({ helper: 'never' }); } catch ({ code }) { console.log(code); }
    configure({ ports: { broadcast: true } });
    configure({ helper: 'never' });
    engine.engine.backend;
    console.log(engine.engine.stats().ports.map(({ classes }) => classes.length).join());`);
  test.equal(stdout, `ERR_INVALID_ARG_VALUE\n${engine.backend === 'node' ? '' : '3,1'}\n`);
});

t.test(
  'a second copy of the modules may ask for the same, and for nothing else',
  onCore,
  async (test) => {
    const { stdout } = await run(`
    const file = ${JSON.stringify(entryFile('engine'))};
    const vm = require('node:vm');
    const configure = (ports) => {
      try { require(file).engine.configure({ ports }); console.log('done'); }
      catch ({ code }) { console.log(code); }
    };
    const asked = { multicast: { thread: true, core: 0 }, stream: true };
    configure(asked);
    require(file).engine.backend;
    asked.multicast.core = 1; // what was asked for is what it was then
    for (const key of Object.keys(require.cache)) delete require.cache[key];
    configure({ stream: {}, multicast: { core: 0, thread: true } });
    configure(vm.runInNewContext('({ stream: {}, multicast: { core: 0, thread: true } })'));
    configure({ stream: {}, multicast: { thread: true } });
    configure(1);`);
    test.strictSame(stdout.trim().split('\n'), [
      'done',
      'done',
      'done',
      'ERR_INVALID_STATE',
      'ERR_INVALID_STATE',
    ]);
  },
);

t.test('the channel and the log say who drives', onCore, async (test) => {
  const program = `${load('engine')}
    require('node:diagnostics_channel').subscribe('iocp-net:engine', (message) =>
      console.log(message.ports, message.driver, message.drivers.join()));
    engine.engine.configure({ ports: { datagram: { thread: true } } });
    engine.engine.backend;`;
  const { stdout, stderr } = await run(program, 15_000, { env: { NODE_DEBUG: 'iocp-net' } });
  test.equal(stdout.trim(), '2 loop loop,thread');
  test.match(stderr, /ports: 2, driven by the event loop and 1 by threads/);
});
