/** The counters of `engine.stats()`, and that what is written of them is of these. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { engine } from 'iocp-net/engine';
import { loadAddon } from '#dist/port/addon.js';
import t from 'tap';

const root = dirname(require.resolve('iocp-net/package.json'));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The rows of the tables in the section on `engine.stats()`, by the name in their first cell. */
function documented(): Map<string, string[]> {
  const section = /\n## `engine\.stats\(\)`(.*?)\n## /s.exec(read('docs/engine.md'))?.[1] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(rows.map(([, name = '', ...cells]) => [name.replaceAll('`', ''), cells]));
}

/** The comment of each member of an interface, without its stars. */
function comments(file: string, name: string): Map<string, string> {
  const body = new RegExp(`interface ${name} [^{]*{(.*?)\\n}`, 's').exec(read(file))?.[1] ?? '';
  const members = body.matchAll(/(?:\/\*\*(.*?)\*\/\s*)?\n {2}(\w+): /gs);
  return new Map([...members].map(([, comment = '', member = '']) => [member, comment.trim()]));
}

const backend = engine.backend;
const stats = engine.stats();
const { drops, ports, operations, ...counters } = stats;
const isCore = backend !== 'node';

t.test('docs/engine.md has a row for each, and no other', async (test) => {
  const names = [...Object.keys(counters), 'drops', 'operations', ...Object.keys(operations)];
  test.ok(isCore);
  test.strictSame([...documented().keys()].sort(), names.sort());
});

t.test('each has the unit of its row in its comment, and a kind', async (test) => {
  const rows = documented();
  const written = comments('src/port/stats.ts', 'PortCounters');
  for (const name of Object.keys(counters)) {
    const [unit = '', kind = ''] = rows.get(name) ?? [];
    test.match(unit, /^[a-z-]+$/, name);
    test.ok(['counter', 'gauge'].includes(kind), name);
    test.match(written.get(name)?.toLowerCase(), new RegExp(`^${unit}\\b`), name);
    test.equal(/\bnow\b/.test(written.get(name) ?? ''), kind === 'gauge', name);
  }
});

t.test('the core counts nothing besides', async (test) => {
  const { layout } = loadAddon();
  test.strictSame([...layout.counters].sort(), Object.keys(counters).sort());
  test.strictSame(Object.keys(operations).sort(), layout.opcodeNames.slice(1).sort());
});

t.test('docs/limits.md names each reason to drop', async (test) => {
  const text = read('docs/limits.md');
  for (const reason of Object.keys(drops)) test.ok(text.includes(`\`${reason}\``), reason);
});

t.test('each port has the same, and says what it is', async (test) => {
  const names = [...Object.keys(counters), 'operations', 'classes', 'driver'];
  for (const port of ports) test.strictSame(Object.keys(port).sort(), names.sort());
});
