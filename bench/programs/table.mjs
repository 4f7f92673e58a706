// The results as one table, and as the last three columns of that in docs/benchmarks.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { fromTo, ratio, rough, table, worse } from '../report.mjs';

export function resultTable(rows) {
  const head = [
    ...['node:net → iocp-net', 'throughput, /s', 'ratio', 'CPU µs, all threads', 'ratio'],
    ...['CPU µs, JS thread', 'ratio', 'worse than `node:net`?', 'what is counted'],
  ];
  return table(
    head,
    rows.map(({ name, unit, rate, cpu, cpuMain, verdict }) => [
      ...[name, fromTo(rate, rough), ratio(rate), fromTo(cpu), ratio(cpu)],
      ...[fromTo(cpuMain), ratio(cpuMain), worse({ verdict }), unit],
    ]),
  );
}

const [START, END] = ['<!-- programs:start -->', '<!-- programs:end -->'];

const cellsOf = (line) => line.split('|').slice(1, -1);

/** The row of that table with the figures of its program, or as it is where none were measured. */
function withFigures(line, rows) {
  const [title, ...others] = cellsOf(line);
  const row = rows.find((each) => title.trim().startsWith(each.title));
  if (row === undefined) return line;
  const figures = [row.rate, row.cpu, row.cpuMain];
  const kept = [title, ...others.slice(0, -3)];
  return `|${[...kept, ...figures.map((figure) => ` ${ratio(figure)} `)].join('|')}|`;
}

/** Writes the ratios into the table between the markers, and `note` below it. */
export function updateDocs(file, rows, note) {
  const old = readFileSync(file, 'utf8');
  const start = old.indexOf(START);
  const end = old.indexOf(END, start);
  if (start < 0 || end < 0)
    throw new Error('docs/benchmarks.md has no markers for the table of programs');
  const lines = old
    .slice(start, end)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => withFigures(line, rows));
  const text = [START, '', ...lines, '', note, '', ''].join('\n');
  writeFileSync(file, old.slice(0, start) + text + old.slice(end));
}
