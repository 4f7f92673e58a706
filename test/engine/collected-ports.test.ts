/** Ports that were opened in vain, because another one could not be, are collected as garbage. */
import t from 'tap';
import { run } from '../support/child';

const addonFile = JSON.stringify(require.resolve('#dist/port/addon.js'));

/** Opens ports, gives them up and has them collected; then its environment ends. */
const program = `
const { loadAddon } = require(${addonFile});
const { PortGroup, backends } = loadAddon();
const settings = {
  backend: backends()[0], submissionEntries: 1024, completionEntries: 1024, socketCapacity: 1024,
  receiveSlabBytes: 1 << 20, sendSlabBytes: 1 << 18, lingerMs: 0, core: -1, driving: process.env.DRIVING, helper: true, batchSends: true, takesAccepted: true,
};
const foreign = process.platform === 'win32' ? 'epoll' : 'iocp';
let collected = 0;
const registry = new FinalizationRegistry(() => collected++);
const open = (stops) => {
  const group = new PortGroup();
  for (let i = 0; i < 2; i++) if (typeof group.add(settings) === 'string') return;
  if (stops && typeof group.add({ ...settings, backend: foreign }) !== 'string') return;
  registry.register(group, '');
};
for (let i = 0; i < 8; i++) open(i % 2 === 0);
const untilCollected = () => {
  if (collected === 8) return console.log('collected');
  gc();
  setTimeout(untilCollected, 10);
};
setTimeout(untilCollected, 10);
`;

const execArgv = ['--expose-gc'];

const worker = `
const { Worker } = require('node:worker_threads');
new Worker(${JSON.stringify(program)}, { eval: true });`;

// The loop waits in one port at most; here it has no time to.
for (const driving of ['loop', 'thread', ...(process.platform === 'win32' ? [] : ['watched'])]) {
  const options = { execArgv, env: { ...process.env, DRIVING: driving } };

  t.test(`at the end of the process nothing of them is looked for (${driving})`, async (test) => {
    const { code, signal, stdout } = await run(program, undefined, options);
    test.strictSame({ code, signal, stdout }, { code: 0, signal: null, stdout: 'collected\n' });
  });

  t.test(`nor at the end of a worker (${driving})`, async (test) => {
    const { code, signal, stdout } = await run(worker, undefined, options);
    test.strictSame({ code, signal, stdout }, { code: 0, signal: null, stdout: 'collected\n' });
  });
}
