// Loaded before iocp-net/register into each program under test: a line to who runs the test, on
// Node's own net, so that it works in node.exe too, where there are neither pipes nor signals.
//
// Tells what the program prints; answers questions; ends the program as SIGTERM would.
import { createRequire } from 'node:module';
import { connect } from 'node:net';

const require = createRequire(import.meta.url);
const line = connect(Number(process.env.IOCP_NET_TEST_CONTROL), '127.0.0.1');
line.setNoDelay(true);
line.unref();
line.on('error', () => process.exit(3)); // nobody would end us
// Node's own: register adds sockets of ours to what it says.
const { getActiveResourcesInfo } = process;
const tell = (message) => line.write(`${JSON.stringify(message)}\n`);

const answers = {
  state() {
    const { engine } = require('../../dist/entry/engine.cjs');
    return {
      backend: engine.backend,
      stats: engine.stats(),
      rss: process.memoryUsage.rss(),
      // What libuv serves and what keeps the process: our own line is unref'd.
      resources: getActiveResourcesInfo(),
    };
  },
  stop() {
    process.emit('SIGTERM', 'SIGTERM');
    return true;
  },
};

let partial = '';
line.setEncoding('utf8');
line.on('data', (text) => {
  const lines = (partial + text).split('\n');
  partial = lines.pop();
  for (const each of lines) {
    const { id, ask } = JSON.parse(each);
    tell({ id, answer: answers[ask]() });
  }
});

const write = process.stdout.write;
process.stdout.write = function (text, ...rest) {
  tell({ printed: String(text) });
  return write.call(this, text, ...rest);
};
