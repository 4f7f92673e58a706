// A mixed load for a long time, and a picture of what it cost.
//
//   npm run test:soak -- [--minutes 30] [--wine [--node 24]] [--net node:net] [--seed N]
//                        [--picture FILE.svg]
//
// Fails where memory, descriptors or handles grow once the server is warm, where a byte is wrong, or
// where something is left at the end. Ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { lines } from '../../bench/svg.mjs';

const root = join(import.meta.dirname, '../..');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    wine: { type: 'boolean', default: false },
    node: { type: 'string', default: '24' },
    net: { type: 'string', default: 'iocp-net' },
    seed: { type: 'string' },
    picture: { type: 'string' },
  },
});
const minutes = values.minutes ?? (values.wine ? '10' : '30');
const made = join(root, 'build/soak');
const samplesFile = join(made, 'samples.json');
const picture = values.picture ?? join(made, 'soak.svg');

/** So many points fit the picture; each is the middle of what it stands for. */
const POINTS = 12;
const MIB = 1024 * 1024;

function draw({ seconds, samples }) {
  const size = Math.max(1, Math.floor(samples.length / POINTS));
  const groups = Array.from({ length: POINTS }, (_, i) => samples.slice(i * size, (i + 1) * size));
  const middle = (group, figure) => {
    const sorted = group.map(figure).sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  };
  const of = (figure) => groups.map((group) => middle(group, figure));
  const memory = of(({ rss }) => rss / MIB);
  const heap = of(({ heap }) => heap / MIB);
  const last = samples.at(-1);
  return lines({
    title: `Memory of a server over ${minutes} minutes of mixed load`,
    description: `${last.accepted} connections. Memory in MiB: ${memory.map((each) => each.toFixed(0)).join(', ')}.`,
    x: groups.map(
      (_, i) => `${(((i + 1) / POINTS) * (seconds / 60)).toFixed(seconds < 600 ? 1 : 0)}`,
    ),
    xLabel: `minutes; ${last.accepted.toLocaleString('en')} connections came and went`,
    yLabel: `MiB, ${values.net}${values.wine ? ', node.exe under Wine' : ''}`,
    series: [
      { name: 'resident', values: memory },
      { name: 'V8 heap', values: heap },
      { name: 'connections', values: of(({ open }) => open) },
      ...(last.descriptors === null
        ? []
        : [{ name: 'descriptors', values: of(({ descriptors }) => descriptors) }]),
    ],
  });
}

mkdirSync(made, { recursive: true });
rmSync(samplesFile, { force: true });
const { status } = spawnSync(
  process.execPath,
  [
    join(import.meta.dirname, 'run.mjs'),
    ...['--minutes', minutes, '--samples', samplesFile, '--net', values.net],
    ...(values.wine ? ['--wine', '--node', values.node] : []),
    ...(values.seed === undefined ? [] : ['--seed', values.seed]),
    'soak',
  ],
  { stdio: 'inherit' },
);
if (existsSync(samplesFile)) {
  mkdirSync(dirname(picture), { recursive: true });
  writeFileSync(picture, draw(JSON.parse(readFileSync(samplesFile, 'utf8'))));
}
process.exitCode = status ?? 1;
