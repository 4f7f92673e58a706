/**
 * Memory that is refused to the addon, one allocation after the other: what was asked for is done or
 * ends with an error, or the engine runs on `node:net`; and the next attempt succeeds. That of the
 * core alone is in `deps/completion-port/test/allocation_test_linux.cc`.
 */
import t from 'tap';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, run } from '../support/child';

const MOST_ALLOCATIONS = 200;
const AT_ONCE = 4;
/** Whoever frees more changes how glibc's malloc works, for the whole program (mallopt(3)). */
const LARGEST = 128 * 1024;

/** Prints how each thing ended, and then the backend. */
const program = `
  ${load('net')} ${load('dgram')} ${load('engine')}
  const { once } = require('node:events');
  const { setTimeout: sleep } = require('node:timers/promises');
  const warnings = [];
  process.on('warning', ({ message }) => warnings.push(message));

  async function echo() {
    let failure; // of who echoes: what it had read it sends no more, and the client sees an end
    const server = net.createServer((socket) =>
      socket.on('error', (error) => (failure = error)).pipe(socket));
    const failed = new Promise((_, reject) => server.on('error', reject));
    try {
      server.listen(0, '127.0.0.1');
      await Promise.race([once(server, 'listening'), failed]);
      const client = net.connect(server.address().port, '127.0.0.1').on('error', () => {});
      await Promise.race([once(client, 'connect'), failed]);
      for (let i = 0; i < 20; i++) client.write('part');
      client.write(Buffer.alloc(300_000, 1));
      await Promise.race([client.sendFile(process.execPath, { end: 99_999 }), failed]);
      client.end();
      let length = 0;
      for await (const chunk of client) length += chunk.length;
      if (length !== 20 * 4 + 300_000 + 100_000) throw failure ?? new Error('cut off at ' + length);
    } finally {
      server.close();
    }
  }

  async function datagrams() {
    const socket = dgram.createSocket('udp4');
    const failed = new Promise((_, reject) => socket.on('error', reject));
    try {
      socket.bind(0, '127.0.0.1');
      await Promise.race([once(socket, 'listening'), failed]);
      socket.send('datagram', socket.address().port, '127.0.0.1');
      await Promise.race([once(socket, 'message'), failed]);
    } finally {
      socket.close();
    }
  }

  async function main() {
    for (const what of [echo, datagrams, echo]) {
      const late = sleep(10_000, 'hangs', { ref: false });
      const end = what().then(() => 'done', (error) => error.code ?? error.message);
      console.log(await Promise.race([end, late]));
    }
    console.log(engine.engine.backend, ...warnings);
  }
  void main();
`;

const compiler = process.env['CXX'] ?? 'c++';
// A sanitizer is loaded before everything, too, and has its own idea of malloc.
const isUsable = process.platform === 'linux' && !process.env['LD_PRELOAD'];

t.setTimeout(240_000);

t.test('no allocation of the addon is beyond refusal', { skip: !isUsable }, async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-refuse-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'refuse.so');
  const source = join(__dirname, '../../../test/support/refuse-allocation.cc');
  execFileSync(compiler, ['-shared', '-fPIC', '-O1', '-std=c++20', '-o', library, source]);
  const refuse = async (nth: number): Promise<boolean> => {
    const env = { LD_PRELOAD: library, REFUSE_ALLOCATION: String(nth) };
    const { code, signal, stdout, stderr } = await run(program, 60_000, { env });
    const shown = `allocation ${nth}:\n${stdout}${stderr}`;
    const [echo = '', datagrams = '', again = '', serves = ''] = stdout.split('\n');
    test.strictSame([code, signal], [0, null], shown);
    const failures = [echo, datagrams, again].filter((end) => end !== 'done');
    const [, count, largest] = /allocations: (\d+), the largest (\d+)/.exec(stderr) ?? [];
    const isRefused = Number(count) >= nth;
    test.ok(Number(largest) < LARGEST, `malloc is asked for ${largest} bytes at most`);
    test.ok(failures.length <= (isRefused ? 1 : 0), `the next attempt succeeds; ${shown}`);
    for (const end of failures) test.match(end, /^(ENOMEM|ENOBUFS|ECONNRESET|EPIPE)$/, shown);
    if (serves.startsWith('node')) test.match(serves, /ENOMEM/, shown);
    return isRefused;
  };
  let refused = 0;
  for (let goesOn = true; goesOn && refused < MOST_ALLOCATIONS && test.passing();) {
    const each = Array.from({ length: AT_ONCE }, (_, i) => refuse(refused + i + 1));
    const struck = (await Promise.all(each)).filter(Boolean).length;
    refused += struck;
    goesOn = struck === AT_ONCE;
  }
  test.comment(`${refused} allocations were refused`);
  test.ok(refused > 10);
});
