/** Primaries that know nothing of iocp-net, only their workers do; and such that have it registered. */
import t from 'tap';
import { run } from '../support/child';
import { workerFile } from '../support/cluster';

const register = require.resolve('iocp-net/register');

const program = (policy: string, registered: boolean): string => `
  ${registered ? `require(${JSON.stringify(register)});` : ''}
  const cluster = require('node:cluster');
  const net = require('node:net');
  cluster.schedulingPolicy = cluster.${policy};
  cluster.setupPrimary({
    exec: ${JSON.stringify(workerFile)},
    execArgv: ${JSON.stringify(registered ? ['--require', register] : [])},
    args: [],
  });
  const answers = [];
  const ask = (port) => {
    if (answers.length === 40) return end();
    let text = '';
    net.connect(port, '127.0.0.1').on('data', (chunk) => (text += chunk)).on('close', () => {
      answers.push(JSON.parse(text));
      ask(port);
    });
  };
  const end = () => {
    const workers = new Set(answers.map(({ worker }) => worker));
    const isLoaded = Object.keys(require.cache).some((file) => /dist.main/.test(file));
    console.log(workers.size, answers.every(({ core }) => core), isLoaded);
    cluster.disconnect();
  };
  let listening = 0;
  cluster.on('listening', (worker, { port }) => { if (++listening === 2) ask(port); });
  const WORKER_LISTEN = JSON.stringify({ port: 0, host: '127.0.0.1' });
  cluster.fork({ WORKER_LISTEN });
  cluster.fork({ WORKER_LISTEN });
`;

// On Windows the primary must know us to share a listening socket that our core can take.
const onCore = (policy: string, registered: boolean): boolean =>
  process.platform !== 'win32' || (registered && policy === 'SCHED_NONE');

for (const registered of [false, true]) {
  for (const policy of ['SCHED_RR', 'SCHED_NONE']) {
    t.test(`${policy}, ${registered ? 'registered' : 'plain'}`, async (test) => {
      const { code, stdout, stderr } = await run(program(policy, registered), 30_000);
      const expected = `2 ${onCore(policy, registered)} ${registered}`;
      test.strictSame([code, stdout.trim(), stderr], [0, expected, '']);
    });
  }
}
