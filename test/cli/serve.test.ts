/** `iocp-net serve`: what it gives out, and what not. */
import t from 'tap';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import * as http from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCommand, type Running } from '../support/command-line';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(120_000);

const windows = process.platform === 'win32';

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** The path as it is: `fetch` would tidy it up. */
async function ask(port: number, path: string, headers = {}, method = 'GET'): Promise<Answer> {
  const request = http.request({ port, host: '127.0.0.1', path, headers, method, agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.setEncoding('latin1');
  let body = '';
  for await (const text of response) body += text as string;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

const outside = mkdtempSync(join(tmpdir(), 'iocp-net-outside-'));
const root = mkdtempSync(join(tmpdir(), 'iocp-net-served-'));
writeFileSync(join(outside, 'secret.txt'), 'secret');
writeFileSync(join(root, 'ten.txt'), '0123456789');
writeFileSync(join(root, 'empty.bin'), '');
writeFileSync(join(root, 'a b&<c.html'.replace('<', windows ? '' : '<')), 'odd');
writeFileSync(join(root, '.env'), 'hidden');
writeFileSync(join(root, 'large.bin'), Buffer.alloc(3_000_000, 'x'));
mkdirSync(join(root, 'site'));
writeFileSync(join(root, 'site/index.html'), '<p>site');
mkdirSync(join(root, '.git'));
writeFileSync(join(root, '.git/config'), 'hidden');
if (!windows) {
  symlinkSync(join(outside, 'secret.txt'), join(root, 'link.txt'));
  symlinkSync(outside, join(root, 'linked'));
  symlinkSync(join(root, '.env'), join(root, 'visible.txt'));
  symlinkSync(join(root, 'ten.txt'), join(root, 'within.txt'));
  symlinkSync(join(root, 'ten.txt'), join(root, '.dotted.txt'));
}
t.teardown(() => [root, outside].forEach((folder) => rmSync(folder, { recursive: true })));

async function withServer(
  words: readonly string[],
  use: (port: number, running: Running) => Promise<void>,
): Promise<void> {
  const running = startCommand(['serve', root, '--port', '0', ...words]);
  try {
    const [, port] = await running.until(/ at http:\/\/127\.0\.0\.1:(\d+)\/ on \w+/);
    await use(Number(port), running);
  } finally {
    await running[Symbol.asyncDispose]();
  }
}

t.test('files, their types, HEAD', () =>
  withServer([], async (port, running) => {
    t.match(running.output, windows ? /on iocp/ : /on epoll/);
    const whole = await ask(port, '/ten.txt');
    t.match(whole, { status: 200, body: '0123456789' });
    t.match(whole.headers, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '10',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
    });
    const head = await ask(port, '/ten.txt', {}, 'HEAD');
    t.match(head, { status: 200, body: '' });
    t.equal(head.headers['content-length'], '10');
    t.match(await ask(port, '/empty.bin'), { status: 200, body: '' });
    t.equal((await ask(port, '/large.bin')).body.length, 3_000_000);
    const refused = await ask(port, '/ten.txt', {}, 'POST');
    t.equal(refused.status, 405);
    t.equal(refused.headers.allow, 'GET, HEAD');
  }),
);

t.test('folders: the index, a redirect, a listing', () =>
  withServer([], async (port) => {
    t.match(await ask(port, '/site/'), { status: 200, body: '<p>site' });
    const moved = await ask(port, '/site?a=b');
    t.equal(moved.status, 301);
    t.equal(moved.headers.location, '/site/?a=b');
    t.equal((await ask(port, '//site')).headers.location, '/site/', 'to no other host');
    const { body } = await ask(port, '/');
    t.match(body, /href="\.\/ten\.txt"/);
    t.match(body, windows ? /a b&amp;c\.html</ : /a b&amp;&lt;c\.html</);
    for (const hidden of [/\.env/, /\.git/, /link\.txt/, /linked/, /visible/]) {
      t.notMatch(body, hidden);
    }
    t.equal((await ask(port, '/ten.txt/')).status, 404);
    t.equal((await ask(port, '/missing')).status, 404);
  }),
);

t.test('nothing outside, nothing hidden', () =>
  withServer([], async (port) => {
    const paths = [
      '/../secret.txt',
      `/..%2f${outside.split(/[\\/]/).pop()}/secret.txt`,
      '/%2e%2e/secret.txt',
      '/site/%2e%2e/%2e%2e/secret.txt',
      '/..%5csecret.txt',
      '/.env',
      '/%2eenv',
      '/.git/config',
      '/ten.txt%00.html',
      '/%zz',
      '/link.txt',
      '/linked/secret.txt',
      '/linked/',
      '/visible.txt',
      '/.dotted.txt',
      ...(windows ? ['/.env.', '/ten.txt::$DATA', '/ten.txt.'] : []),
    ];
    for (const path of paths) {
      const { status, body } = await ask(port, path);
      t.equal(status, 404, path);
      t.equal(body, 'not found\n');
    }
    if (!windows) t.equal((await ask(port, '/within.txt')).body, '0123456789');
  }),
);

t.test('options: hidden files, another index, no listing', () =>
  withServer(['--dotfiles', '--no-listing', '--index', 'ten.txt'], async (port) => {
    t.equal((await ask(port, '/.env')).body, 'hidden');
    t.equal((await ask(port, '/')).body, '0123456789');
    t.equal((await ask(port, '/site/')).status, 404);
  }),
);

t.test('ranges', () =>
  withServer([], async (port) => {
    const part = async (range: string, more = {}) => {
      const { status, body, headers } = await ask(port, '/ten.txt', { range, ...more });
      return [status, body, headers['content-range']];
    };
    t.strictSame(await part('bytes=2-4'), [206, '234', 'bytes 2-4/10']);
    t.strictSame(await part('bytes=7-'), [206, '789', 'bytes 7-9/10']);
    t.strictSame(await part('bytes=-3'), [206, '789', 'bytes 7-9/10']);
    t.strictSame(await part('bytes=5-99'), [206, '56789', 'bytes 5-9/10']);
    t.strictSame(await part('bytes=-99'), [206, '0123456789', 'bytes 0-9/10']);
    t.strictSame((await part('bytes=10-'))[0], 416);
    t.strictSame((await part('bytes=10-'))[2], 'bytes */10');
    t.strictSame((await part('bytes=-0'))[0], 416);
    for (const nonsense of ['bytes=4-2', 'bytes=-', 'lines=1-2', 'bytes=1-2,4-5']) {
      t.strictSame((await part(nonsense)).slice(0, 2), [200, '0123456789'], nonsense);
    }
    const { etag } = (await ask(port, '/ten.txt')).headers;
    t.strictSame((await part('bytes=2-4', { 'if-range': etag }))[0], 206);
    t.strictSame((await part('bytes=2-4', { 'if-range': '"other"' }))[0], 200);
    t.equal((await ask(port, '/empty.bin', { range: 'bytes=0-' })).status, 416);
  }),
);

t.test('conditions', () =>
  withServer([], async (port) => {
    const { etag = '', 'last-modified': modified = '' } = (await ask(port, '/ten.txt')).headers;
    const status = async (headers: object) => (await ask(port, '/ten.txt', headers)).status;
    t.equal(await status({ 'if-none-match': etag }), 304);
    t.equal(await status({ 'if-none-match': `"x", W/${etag}` }), 304);
    t.equal(await status({ 'if-none-match': '*' }), 304);
    t.equal(await status({ 'if-none-match': '"x"' }), 200);
    t.equal(await status({ 'if-modified-since': modified }), 304);
    t.equal(await status({ 'if-modified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' }), 200);
    t.equal(await status({ 'if-none-match': '"x"', 'if-modified-since': modified }), 200);
    t.equal(await status({ 'if-match': etag }), 200);
    t.equal(await status({ 'if-match': '"x"' }), 412);
    t.equal(await status({ 'if-unmodified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' }), 412);
  }),
);

t.test('a client that goes away in the middle is no mistake', () =>
  withServer([], async (port, running) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    t.equal((await ask(port, '/ten.txt')).status, 200);
    t.equal(running.output.split('\n').length, 2, running.output);
  }),
);

/** How many descriptors a process has of a file. */
function openIn(pid: number | undefined, path: string): number {
  const folder = `/proc/${pid}/fd`;
  const isOfFile = (descriptor: string): boolean => {
    try {
      return readlinkSync(join(folder, descriptor)) === path;
    } catch {
      return false; // it has been closed meanwhile
    }
  };
  return readdirSync(folder).filter(isOfFile).length;
}

t.test(
  'a client that goes leaves no file open, nor those that waited for their turn',
  { skip: process.platform !== 'linux' && 'the system does not tell' },
  () =>
    withServer([], async (port, running) => {
      const open = (): number => openIn(running.child.pid, join(root, 'large.bin'));
      for (const leave of ['destroy', 'resetAndDestroy'] as const) {
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        socket.write('GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
        await once(socket, 'data');
        socket.pause();
        while (open() < 20) await sleep(10);
        socket[leave]();
        for (let look = 0; open() > 0 && look < 300; look++) await sleep(10);
        t.equal(open(), 0, leave);
      }
      t.equal(running.output.split('\n').length, 2, running.output);
    }),
);

t.test('requests on one connection are answered in turn', () =>
  withServer([], async (port) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    const paths = ['/large.bin', '/ten.txt', '/empty.bin', '/site/index.html'];
    const last = 'Connection: close\r\n';
    paths.forEach((path, i) => {
      const isLast = i === paths.length - 1;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${isLast ? last : ''}\r\n`);
    });
    let all = '';
    for await (const text of socket) all += text as string;
    const bodies = all.split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s).slice(1);
    t.strictSame(bodies, ['x'.repeat(3_000_000), '0123456789', '', '<p>site']);
  }),
);

t.test('a file that becomes shorter meanwhile ends the connection', () =>
  withServer([], async (port, running) => {
    const path = join(root, 'shrinks.bin');
    writeFileSync(path, Buffer.alloc(32 << 20, 'x'));
    const socket = connect(port, '127.0.0.1');
    const errors: NodeJS.ErrnoException[] = [];
    socket.on('error', (error) => errors.push(error));
    socket.write('GET /shrinks.bin HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    truncateSync(path, 1000);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    t.ok(errors.length === 0 || errors[0]?.code === 'ECONNRESET');
    t.equal((await ask(port, '/ten.txt')).status, 200);
    t.equal(running.output.split('\n').length, 2, running.output);
    rmSync(path);
  }),
);

t.test('Ctrl-C ends it, also with a connection open', { skip: windows }, () =>
  withServer([], async (port, running) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    t.equal(await running.end('SIGINT'), 0);
  }),
);
