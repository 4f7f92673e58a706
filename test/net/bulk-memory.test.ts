/** What becomes of the memory of bulk: many Buffers of 64 KiB, of which nobody keeps any. */
import t from 'tap';
import { load, run } from '../support/child';

const MiB = 2 ** 20;

/** Prints the bytes, and of the second half the collections of the whole heap and the page faults. */
const program = (total: number): string => `
  ${load('net')}
  const { PerformanceObserver, constants } = require('node:perf_hooks');
  const collections = [];
  new PerformanceObserver((list) => {
    for (const { detail, startTime } of list.getEntries()) {
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections.push(startTime);
    }
  }).observe({ entryTypes: ['gc'] });
  const piece = Buffer.alloc(${MiB});
  const faults = () => process.resourceUsage().minorPageFault;
  let half;
  const server = net.createServer((socket) => {
    socket.on('data', () => {
      if (socket.bytesRead > ${total / 2}) half ??= { time: performance.now(), faults: faults() };
    });
    socket.on('end', () => {
      const end = performance.now();
      const faulted = faults() - half.faults;
      socket.end();
      server.close();
      // The observer is told a little later.
      setTimeout(() => {
        const within = collections.filter((time) => time > half.time && time < end);
        console.log(JSON.stringify([socket.bytesRead, within.length, faulted]));
      }, 50);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    let rest = ${total / MiB};
    const send = () => {
      while (rest > 0) {
        rest--;
        if (!client.write(piece)) return;
      }
      client.end();
    };
    client.on('drain', send).on('connect', send).resume();
  });
`;

async function measure(total: number): Promise<[number, number, number]> {
  const { code, stdout, stderr } = await run(program(total), 60_000);
  if (code !== 0) throw new Error(`${code}: ${stderr}`);
  return JSON.parse(stdout) as [number, number, number];
}

t.test('bulk does not make V8 collect the whole heap', async (test) => {
  const total = 768 * MiB;
  const [bytes, collections] = await measure(total);
  test.equal(bytes, total);
  test.ok(collections <= 2, `${collections} collections in ${total / 2 / MiB} MiB`);
});

const skip = process.platform !== 'linux' && 'only with glibc can it be said what is kept';

t.test(
  'memory that was freed is received into again, without the system',
  { skip },
  async (test) => {
    const total = 512 * MiB;
    const [bytes, , faults] = await measure(total);
    test.equal(bytes, total);
    const pages = total / 2 / 4096;
    test.ok(faults < pages / 25, `${faults} page faults for ${pages} pages`);
  },
);

const garbage = `
  const { Nursery } = require(${JSON.stringify(require.resolve('#dist/port/nursery.js'))});
  const nursery = new Nursery(() => {});
  const leave = (mebibytes) => {
    for (let i = 0; i < mebibytes * 16; i++) nursery.follow(65536);
    return nursery.garbage.length * 8 * 512;
  };
  console.log(JSON.stringify([leave(15), leave(2)]));
`;

/** What 32 MiB of bulk leave, in bytes: in the first 15 MiB, and then. */
async function leftIn(nurseryMiB: number): Promise<[number, number]> {
  const sizes = ['min', 'max'].map((end) => `--${end}-semi-space-size=${nurseryMiB}`);
  const { code, stdout, stderr } = await run(garbage, 30_000, { execArgv: sizes });
  if (code !== 0) throw new Error(`${code}: ${stderr}`);
  return JSON.parse(stdout) as [number, number];
}

t.test('as much garbage as the nursery holds, but not for a very large one', async (test) => {
  for (const size of [1, 8, 32]) {
    const [first, then] = await leftIn(size);
    test.equal(first, 0, 'a few large messages are no bulk');
    test.ok(then > 0.9 * size * MiB && then < 1.1 * size * MiB, `${then} bytes for ${size} MiB`);
  }
  test.strictSame(await leftIn(64), [0, 0]);
});
