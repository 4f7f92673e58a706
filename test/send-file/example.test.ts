import t from 'tap';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pattern } from '../support/sockets';

const root = join(__dirname, '../../..');

interface Answer {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

async function ask(url: string, options: http.RequestOptions, agent: http.Agent): Promise<Answer> {
  const request = http.request(url, { ...options, agent }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

t.test(
  'examples/file-server.mjs: files, ranges and what is not there, on one connection',
  async (test) => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'iocp-net-files-'));
    const bytes = pattern(5_000_000);
    fs.writeFileSync(join(folder, 'file.bin'), bytes);
    fs.writeFileSync(join(folder, 'empty'), '');
    const server = spawn(process.execPath, [join(root, 'examples/file-server.mjs')], {
      env: { ...process.env, PORT: '0', ROOT: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    test.teardown(() => {
      server.kill();
      fs.rmSync(folder, { recursive: true });
    });
    const [url] = (await once(createInterface(server.stdout), 'line')) as [string];
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const get = (path: string, options: http.RequestOptions = {}): Promise<Answer> =>
      ask(`${url}/${path}`, options, agent);

    const whole = await get('file.bin');
    test.equal(whole.status, 200);
    test.ok(whole.body.equals(bytes));
    const part = await get('file.bin', { headers: { range: 'bytes=1000-1999' } });
    test.equal(part.status, 206);
    test.equal(part.headers['content-range'], 'bytes 1000-1999/5000000');
    test.ok(part.body.equals(bytes.subarray(1000, 2000)));
    const last = await get('file.bin', { headers: { range: 'bytes=-10' } });
    test.ok(last.body.equals(bytes.subarray(-10)));
    const head = await get('file.bin', { method: 'HEAD' });
    test.equal(head.headers['content-length'], '5000000');
    test.equal(head.body.length, 0);
    test.equal((await get('file.bin', { headers: { range: 'bytes=5000000-' } })).status, 416);
    test.equal((await get('empty')).body.length, 0);
    test.equal((await get('absent')).status, 404);
    test.equal((await get('..%2f..%2fetc%2fpasswd')).status, 404);
    test.equal((await get('file.bin', { method: 'POST' })).status, 405);
    agent.destroy();
  },
);
