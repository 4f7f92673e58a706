/** The primary knows nothing of iocp-net; only its workers do. */
import t from 'tap';
import { run } from '../support/child';
import { workerFile } from '../support/cluster';

const program = (policy: string): string => `
  const cluster = require('node:cluster');
  const net = require('node:net');
  cluster.schedulingPolicy = cluster.${policy};
  cluster.setupPrimary({ exec: ${JSON.stringify(workerFile)}, execArgv: [], args: [] });
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
    console.log(workers.size, answers.every(({ core }) => core), Object.keys(require.cache).some((file) => /dist.net/.test(file)));
    cluster.disconnect();
  };
  let listening = 0;
  cluster.on('listening', (worker, { port }) => { if (++listening === 2) ask(port); });
  const WORKER_LISTEN = JSON.stringify({ port: 0, host: '127.0.0.1' });
  cluster.fork({ WORKER_LISTEN });
  cluster.fork({ WORKER_LISTEN });
`;

const onCore = process.platform !== 'win32';

for (const policy of ['SCHED_RR', 'SCHED_NONE']) {
  t.test(`with ${policy}`, async (test) => {
    const { code, stdout, stderr } = await run(program(policy), 30_000);
    test.strictSame([code, stdout.trim(), stderr], [0, `2 ${onCore} false`, '']);
  });
}
