/** The examples with datagrams, started as a user would. */
import t from 'tap';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as dgram from 'iocp-net/dgram';

const examples = join(dirname(require.resolve('iocp-net/package.json')), 'examples');

async function freePort(): Promise<number> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

interface Started {
  child: ChildProcess & { stdout: NonNullable<ChildProcess['stdout']> };
  end(): Promise<void>;
}

function start(name: string, args: string[], env: Record<string, string>): Started {
  const child = spawn(process.execPath, [join(examples, `${name}.mjs`), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  };
  return { child, end };
}

t.test('the DNS responder answers Node’s resolver', async (test) => {
  const port = await freePort();
  const { child, end } = start('dns-responder', [], { PORT: `${port}` });
  await once(child.stdout, 'data');
  const resolver = new Resolver({ timeout: 5000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  test.same(await resolver.resolve4('one.example'), ['192.0.2.1']);
  test.same((await resolver.resolve4('TWO.example')).sort(), ['192.0.2.1', '192.0.2.2']);
  await test.rejects(resolver.resolve4('three.example'), { code: 'ENOTFOUND' });
  await test.rejects(resolver.resolve6('one.example'), { code: 'ENODATA' });
  await end();
});

t.test('discovery finds a file and fetches it', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-discovery-'));
  const file = join(folder, 'shared.txt');
  writeFileSync(file, 'found over multicast, fetched over TCP\n');
  const env = { PORT: `${await freePort()}`, INTERFACE: '127.0.0.1' };
  const offering = start('discovery', ['offer', file], env);
  await once(offering.child.stdout, 'data');
  const finding = start('discovery', ['find', 'shared.txt'], env);
  test.equal(await text(finding.child.stdout), 'found over multicast, fetched over TCP\n');
  await Promise.all([offering.end(), finding.end()]);
  rmSync(folder, { recursive: true });
});

t.test('a reliable stream over datagrams that get lost', async (test) => {
  const bytes = 100_000;
  for (const loss of ['0', '0.2']) {
    const { child, end } = start('reliable-stream', ['demo', `${bytes}`], {
      LOSS: loss,
      SEED: '7',
    });
    const ended = once(child, 'exit');
    const printed = await text(child.stdout);
    test.same(await ended, [0, null]);
    test.match(
      printed,
      new RegExp(`^${bytes} bytes, SHA-256 [0-9a-f]{64}\nwhich is right, from two`),
    );
    const again = Number(/, (\d+) of them again/.exec(printed)?.[1]);
    // Without losses only what was under way when the client moved.
    if (loss !== '0') test.ok(again >= 5, printed);
    await end();
  }
});

t.test('a reliable stream between two processes', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-reliable-'));
  const file = join(folder, 'file');
  const content = Buffer.alloc(50_000, 'what is sent ');
  writeFileSync(file, content);
  const env = { PORT: `${await freePort()}` };
  const serving = start('reliable-stream', ['serve'], env);
  await once(serving.child.stdout, 'data');
  const hash = createHash('sha256').update(content).digest('hex');
  // One after the other, of the same server.
  for (let i = 0; i < 2; i++) {
    const sending = start('reliable-stream', ['send', file], env);
    test.match(await text(sending.child.stdout), `50000 bytes, SHA-256 ${hash}\n`);
    await sending.end();
  }
  await serving.end();
  rmSync(folder, { recursive: true });
});
