/** examples/prometheus.mjs: what it says can be read by Prometheus, and is what the engine counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { engine } from 'iocp-net/engine';
import t from 'tap';

const root = dirname(require.resolve('iocp-net/package.json'));
const file = join(root, 'examples/prometheus.mjs');

interface Family {
  help: string;
  type: string;
  samples: Map<string, number>;
}

const label = '[a-z_]+="[^"\\\\\\n]*"';
const sample = new RegExp(`^([a-z_]+)(?:{(${label}(?:,${label})*)})? (-?[0-9.]+(?:e[+-]?\\d+)?)$`);

/** The text format, version 0.0.4, as strictly as its description puts it. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      const known = families.get(name);
      if (kind === 'HELP' && known) throw new Error(`${name} comes twice`);
      if (kind === 'TYPE' && !known) throw new Error(`${name} has no HELP`);
      families.set(name, {
        help: kind === 'HELP' ? rest : (known?.help ?? ''),
        type: kind === 'TYPE' ? rest : '',
        samples: new Map(),
      });
      continue;
    }
    const [, name = '', labels = '', value] = sample.exec(line) ?? [];
    const family = families.get(name);
    if (!family) throw new Error(`not a sample: ${line}`);
    if (family.samples.has(labels)) throw new Error(`twice: ${line}`);
    family.samples.set(labels, Number(value));
  }
  return families;
}

async function scrape(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (answer.headers.get('content-type') !== 'text/plain; version=0.0.4') throw new Error('type');
  return answer.text();
}

/** Starts the example; resolves with the ports that it says it listens on. */
async function start(backend: string) {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, PORT: '0', METRICS_PORT: '0', IOCP_NET_BACKEND: backend },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ports = new Map<string, number>();
  for await (const line of createInterface(child.stdout)) {
    const [, what = '', port] = /^The (metrics|echo) .*:(\d+)/.exec(line) ?? [];
    ports.set(what, Number(port));
    if (ports.size === 2) break;
  }
  return { child, metrics: ports.get('metrics') ?? 0, echo: ports.get('echo') ?? 0 };
}

async function echoed(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [string];
  if (answer !== text) throw new Error(answer);
  socket.end();
  await once(socket.resume(), 'close');
}

const value = (families: Map<string, Family>, name: string, labels: string): number =>
  families.get(`iocp_net_${name}`)?.samples.get(labels) ?? NaN;

t.test('what it says is what happened, in base units', async (test) => {
  const { child, metrics, echo } = await start('');
  try {
    const before = parse(await scrape(metrics));
    await echoed(echo, 'ten bytes.');
    const after = parse(await scrape(metrics));
    const grown = (name: string, labels: string): number =>
      value(after, name, labels) - value(before, name, labels);
    test.ok(grown('received_bytes_total', 'port="0"') >= 10);
    test.ok(grown('sent_bytes_total', 'port="0"') >= 10);
    test.ok(grown('operations_total', 'operation="accept",state="completed"') >= 1);
    test.equal(value(after, 'listeners_open', 'port="0"'), 2);
    const waited = value(after, 'waited_seconds_total', 'port="0"');
    test.ok(waited > 0 && waited < 60, `${waited} seconds`);
    test.equal(value(after, 'drops_total', 'reason="maxConnections"'), 0);
    for (const [name, { type, help }] of after) {
      test.equal(type, name.endsWith('_total') ? 'counter' : 'gauge', name);
      test.match(help, /^[A-Z].*\.$/);
    }
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

t.test('on node:net there is no port to count', async (test) => {
  const { child, metrics } = await start('node');
  try {
    const families = parse(await scrape(metrics));
    test.equal(value(families, 'info', 'backend="node"'), 1);
    test.equal(families.get('iocp_net_packets_total')?.samples.size, 0);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

t.test('it has every counter, with the kind that docs/engine.md gives it', async (test) => {
  const source = readFileSync(file, 'utf8');
  const shown = new Map(
    [...source.matchAll(/^ {2}\['(\w+)', .*, '(\w+)'\],$/gm)].map(([, name = '', of = '']) => [
      of,
      name.endsWith('_total') ? 'counter' : 'gauge',
    ]),
  );
  const docs = readFileSync(join(root, 'docs/engine.md'), 'utf8');
  for (const [name, stat] of Object.entries(engine.stats())) {
    if (typeof stat !== 'number') continue;
    const kind = new RegExp(`^\\| \`${name}\` \\| \\S+ \\| (\\w+) \\|`, 'm').exec(docs)?.[1];
    test.equal(shown.get(name), kind, name);
  }
});
