/** Files as responses of `http` and, over TLS, `https`: examples/file-response.mjs. */
import t from 'tap';
import type { Test } from 'tap';
import { once } from 'node:events';
import * as fs from 'node:fs';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import * as nodeNet from 'node:net';
import { dirname, join } from 'node:path';
import * as nodeTls from 'node:tls';
import { pathToFileURL } from 'node:url';
import * as http from 'iocp-net/http';
import * as https from 'iocp-net/https';
import { certificate } from '../support/certificate';
import { temporaryFile } from '../support/files';
import { closing, delay, listen, pattern, quiet, readAll } from '../support/sockets';

interface Example {
  respondWithFile: (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) => Promise<unknown>;
}

const examples = join(dirname(require.resolve('iocp-net/package.json')), 'examples');
const loaded = import(pathToFileURL(join(examples, 'file-response.mjs')).href) as Promise<Example>;

interface Kind {
  createServer: (listener: RequestListener) => Server;
  connect: (port: number) => nodeNet.Socket;
}

const kinds: Record<string, Kind> = {
  http: {
    createServer: (listener) => http.createServer(listener),
    connect: (port) => nodeNet.connect({ port, host: '127.0.0.1' }),
  },
  https: {
    createServer: (listener) => https.createServer(certificate, listener),
    connect: (port) => nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  },
};

interface Site {
  server: Server;
  port: number;
  /** One for each request that came: settled when the server is through with it. */
  answered: Promise<unknown>[];
}

async function serve(
  test: Test,
  { createServer }: Kind,
  folder: Record<string, string>,
): Promise<Site> {
  const { respondWithFile } = await loaded;
  const answered: Promise<unknown>[] = [];
  const server = createServer((request, response) => {
    const path = folder[request.url?.slice(1) ?? ''] ?? '';
    answered.push(respondWithFile(request, response, path));
  });
  const port = await listen(server);
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port, answered };
}

const request = (method: string, name: string, ...headers: string[]): string =>
  [`${method} /${name} HTTP/1.1`, 'Host: test', ...headers, '', ''].join('\r\n');

interface Found {
  status: number;
  body: Buffer;
}

/** The responses in a stream to requests with these methods; nothing may follow them. */
function responsesIn(bytes: Buffer, methods: readonly string[]): Found[] {
  let rest = bytes;
  const found = methods.map((method) => {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = String(rest.subarray(0, end));
    const length = method === 'HEAD' ? 0 : Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const body = rest.subarray(end, end + length);
    rest = rest.subarray(end + length);
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), body };
  });
  if (rest.length > 0) throw new Error(`${rest.length} bytes follow`);
  return found;
}

const within = async (what: Promise<unknown>[]): Promise<void> => {
  await Promise.race([
    Promise.all(what),
    delay(5000).then(() => Promise.reject(new Error('some are never done'))),
  ]);
};

for (const [kind, how] of Object.entries(kinds)) {
  t.test(`${kind}: requests in one write are answered in their order`, async (test) => {
    const large = pattern(5_000_000);
    const small = Buffer.from('a small file');
    const folder = {
      large: temporaryFile(test, large),
      small: temporaryFile(test, small),
      empty: temporaryFile(test, Buffer.alloc(0)),
    };
    const { port } = await serve(test, how, folder);
    const socket = how.connect(port);
    const asked = [
      ['GET', 'large'],
      ['HEAD', 'large'],
      ['GET', 'small'],
      ['GET', 'empty'],
      ['GET', 'large', 'Range: bytes=1000000-2999999'],
      ['GET', 'small', 'Range: bytes=12-'],
      ['HEAD', 'empty'],
      ['GET', 'small', 'Connection: close'],
    ] as [string, string, ...string[]][];
    socket.write(asked.map((each) => request(...each)).join(''));
    const found = responsesIn(
      await readAll(socket),
      asked.map(([method]) => method),
    );
    const none = Buffer.alloc(0);
    const expected: [number, Buffer][] = [
      [200, large],
      [200, none],
      [200, small],
      [200, none],
      [206, large.subarray(1_000_000, 3_000_000)],
      [416, none],
      [200, none],
      [200, small],
    ];
    expected.forEach(([status, body], at) => {
      test.equal(found[at]?.status, status, `${asked[at]?.join(' ')}`);
      test.ok(found[at]?.body.equals(body), `its ${body.length} bytes`);
    });
  });

  t.test(`${kind}: one after the other on a kept connection`, async (test) => {
    const bytes = pattern(700_000);
    const { port, server } = await serve(test, how, { file: temporaryFile(test, bytes) });
    let connections = 0;
    server.on(kind === 'http' ? 'connection' : 'secureConnection', () => connections++);
    const socket = how.connect(port);
    const chunks: Buffer[] = [];
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
    });
    const heads: number[] = [];
    for (let round = 0; round < 20; round++) {
      chunks.length = 0;
      received = 0;
      socket.write(request('GET', 'file'));
      while (received < bytes.length) await once(socket, 'data');
      const [only] = responsesIn(Buffer.concat(chunks), ['GET']);
      if (only?.body.equals(bytes)) heads.push(round);
    }
    test.equal(heads.length, 20, 'whole answers');
    test.equal(connections, 1);
    socket.destroy();
    await closing(socket);
  });

  const leavings: Record<string, (socket: nodeNet.Socket) => void> = {
    closed: (socket) => socket.destroy(),
    // TLS has no reset.
    ...(kind === 'http' && { reset: (socket) => socket.resetAndDestroy() }),
  };
  for (const [name, leave] of Object.entries(leavings)) {
    t.test(`${kind}: ${name} by the client, no answer waits for ever`, async (test) => {
      const { port, server, answered } = await serve(test, how, {
        file: temporaryFile(test, pattern(32 << 20)),
      });
      const socket = quiet(how.connect(port));
      socket.write(request('GET', 'file').repeat(3));
      await once(socket, 'data');
      socket.pause();
      while (answered.length < 3 || openFiles() === 0) await delay(10);
      // Until the file waits for the client: Wine loses what a reset meets while it is issued.
      if (process.platform === 'win32') await delay(100);
      leave(socket);
      await within(answered);
      const connections = await new Promise((resolve) =>
        server.getConnections((_error, count) => resolve(count)),
      );
      test.equal(connections, 0);
      await delay(50);
      test.notOk(openFiles(), 'no file stays open');
    });
  }

  t.test(`${kind}: a file that becomes shorter ends the connection`, async (test) => {
    const path = temporaryFile(test, pattern(32 << 20));
    const { port, answered } = await serve(test, how, { file: path });
    const socket = quiet(how.connect(port));
    socket.write(request('GET', 'file') + request('GET', 'file'));
    await once(socket, 'data');
    socket.pause();
    while (openFiles() === 0) await delay(10);
    fs.truncateSync(path, 1000);
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await closing(socket);
    test.ok(received < 32 << 20, `${received} received`);
    await within(answered);
  });
}

/** Of the tests' files; null where the system does not tell. */
function openFiles(): number | null {
  if (process.platform !== 'linux') return null;
  return fs.readdirSync('/proc/self/fd').filter((descriptor) => {
    const link = `/proc/self/fd/${descriptor}`;
    return fs.existsSync(link) && fs.readlinkSync(link).includes('iocp-net-file-');
  }).length;
}
