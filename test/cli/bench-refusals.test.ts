/** `iocp-net bench` with a server that cannot be measured: it says why. */
import t from 'tap';
import { createServer } from 'node:http';
import { freePort, runCommand } from '../support/command-line';
import { listen } from '../support/sockets';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(170_000);

const failing = async (words: readonly string[], url: string) =>
  runCommand(['bench', '--seconds', '5', '--connections', '1', '--url', url, '--', ...words], {
    NODE_OPTIONS: '',
  });

t.test('a server that cannot be measured: why, exit code 1', async (test) => {
  const url = `http://127.0.0.1:${await freePort()}/`;
  const ended = await failing([process.execPath, '-e', 'throw new Error("no luck")'], url);
  test.equal(ended.code, 1);
  test.match(ended.stderr, /it ended with 1[^]*no luck/);
  const missing = await failing(['no-such-program'], url);
  test.equal(missing.code, 1);
  test.match(missing.stderr, /no-such-program: spawn no-such-program ENOENT/);
  const other = createServer((_request, response) => response.end());
  const taken = await failing([process.execPath, '-v'], `http://127.0.0.1:${await listen(other)}/`);
  test.equal(taken.code, 1);
  test.match(taken.stderr, /something answers at .* already/);
  other.close();
});

t.test('a server that register does not reach is noticed', async (test) => {
  const port = await freePort();
  // It takes the net that Node has of its own, as it was.
  const program = `
    process.env.NODE_OPTIONS = '';
    if (!process.env.AGAIN) {
      process.env.AGAIN = '1';
      require('node:child_process').spawn(process.execPath, process.execArgv, { stdio: 'ignore' });
      setInterval(() => {}, 1000);
    } else {
      const server = require('node:http').createServer((request, response) => response.end());
      server.listen(${port}, '127.0.0.1');
      setTimeout(() => process.exit(), 60000);
    }`;
  const { code, stderr } = await failing(
    [process.execPath, '-e', program],
    `http://127.0.0.1:${port}/`,
  );
  test.equal(code, 1);
  test.match(stderr, /did not run on the core: no process of it has made a socket/);
});
