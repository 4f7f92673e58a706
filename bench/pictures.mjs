// Draws docs/bench/*.svg from the results of npm run bench, and shows them in docs/benchmarks.md.
//
//   npm run bench:pictures -- [RESULTS.json]      default: bench/results/latest.json
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { updateBetweenMarkers } from './report.mjs';
import { bars, lines } from './svg.mjs';

const root = join(import.meta.dirname, '..');
const results = JSON.parse(
  readFileSync(argv[2] ?? join(import.meta.dirname, 'results/latest.json'), 'utf8'),
);

/** Ours first: it has the first colour in every picture. */
const ORDER = ['iocp-net', 'node:net', 'Bun', 'C++ epoll', 'C++ io_uring'];
const armsOf = (rows) => ORDER.filter((name) => rows.some(({ arms }) => arms[name]));

const echoes = results.rows
  .filter((row) => /^echo, [\d,]+ connections?, 64 B$/.test(row.name))
  .sort((a, b) => a.connections - b.connections);

function overConnections(title, yLabel, figure) {
  const names = armsOf(echoes);
  const value = (row, name) => row.arms[name]?.[figure] ?? undefined;
  return lines({
    title,
    description: echoes
      .map((row) => {
        const values = names.map(
          (name) => `${name} ${value(row, name)?.toPrecision(3) ?? 'not run'}`,
        );
        return `${row.connections} connections: ${values.join(', ')}`;
      })
      .join('. '),
    x: echoes.map(({ connections }) => connections.toLocaleString('en')),
    xLabel: 'connections, echo of 64 bytes, server on one core',
    yLabel,
    series: names.map((name) => ({ name, values: echoes.map((row) => value(row, name)) })),
  });
}

function latency(row) {
  const names = ORDER.filter((name) => row.quantiles[name]);
  const shares = row.quantiles[names[0]].map(([share]) => share).filter((share) => share >= 0.5);
  const values = (name) =>
    row.quantiles[name].filter(([share]) => share >= 0.5).map(([, micros]) => micros);
  return lines({
    title: 'Latency at 70 % of the slower server’s saturation',
    description: names
      .map(
        (name) =>
          `${name}: ${values(name)
            .map((each, i) => `${shares[i]}: ${each} µs`)
            .join(', ')}`,
      )
      .join('. '),
    x: shares.map((share) => `${+(100 * share).toFixed(2)}`),
    xLabel: 'percent of messages that were back by then',
    yLabel: 'µs since the message was due',
    log: true,
    series: names.map((name) => ({ name, values: values(name) })),
  });
}

function costByThread(rows) {
  const entries = rows.flatMap((row) =>
    ['iocp-net', 'node:net']
      .filter((name) => row.arms[name])
      .map((name) => {
        const { cpu, cpuMain, cpuPorts } = row.arms[name];
        const server = row.group === 'http' && name === 'node:net' ? 'node:http' : name;
        const values = [cpuMain, cpuPorts, Math.max(0, cpu - cpuMain - cpuPorts)];
        return { name: `${row.name.replace(/ connections?/, '')}: ${server}`, values };
      }),
  );
  return bars({
    title: 'CPU time by thread',
    description: entries
      .map(({ name, values: [js, ports, rest] }) => {
        const show = (value) => value.toFixed(2);
        return `${name}: JavaScript ${show(js)}, I/O threads ${show(ports)}, others ${show(rest)} µs`;
      })
      .join('. '),
    xLabel: 'µs per message or request',
    parts: ['JavaScript', 'I/O threads', 'others'],
    bars: entries,
  });
}

const pictures = [];
if (echoes.length > 1) {
  pictures.push(['throughput', overConnections('Echoed messages per second', '/s', 'rate')]);
  pictures.push(['cpu', overConnections('CPU time per echoed message, all threads', 'µs', 'cpu')]);
}
const paced = results.rows.find(({ share }) => share === 0.7);
if (paced) pictures.push(['latency', latency(paced)]);
const split = results.rows.filter(
  ({ name }) =>
    /^echo, (64|1,000) connections, (64 B|4 KiB)$/.test(name) || name === 'HTTP, wrk -c 64',
);
if (split.length > 0) pictures.push(['threads', costByThread(split)]);
if (pictures.length === 0) throw new Error('these results hold nothing that is drawn');

const folder = join(root, 'docs/bench');
mkdirSync(folder, { recursive: true });
for (const [name, svg] of pictures) writeFileSync(join(folder, `${name}.svg`), svg);

const alt = {
  throughput: 'Throughput',
  cpu: 'CPU time',
  latency: 'Latency',
  threads: 'CPU by thread',
};
const shown = pictures.map(([name]) => `![${alt[name]}](bench/${name}.svg)`).join('\n');
const text = `${shown}\n\nMeasured ${results.machine}.`;
if (!updateBetweenMarkers(join(root, 'docs/benchmarks.md'), 'pictures', text)) {
  console.error('# docs/benchmarks.md has no pictures markers');
}
console.log(pictures.map(([name]) => `docs/bench/${name}.svg`).join('\n'));
