/** `--import iocp-net/register`: what programs do that know nothing of us. */
import t from 'tap';
import { pathToFileURL } from 'node:url';
import { entryFile, load, run } from '../support/child';
import type { RunOptions } from '../support/child';
import { certificate } from '../support/certificate';

const file = entryFile('register');
const asModule = pathToFileURL(file.replace(/cjs$/, 'mjs')).href;
const imported = { execArgv: ['--import', asModule] };

// What node:net serves stays on node:net.
const nodeServes = process.env['IOCP_NET_BACKEND'] === 'node' ? { skip: 'node:net serves' } : {};

const prelude = `
const { once } = require('node:events');
const secure = { rejectUnauthorized: false };
const certificate = ${JSON.stringify(certificate)};
const listen = async (server) => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
};
// Connections accepted and opened so far, on the core.
const count = () => {
  ${load('engine')}
  const { accept, connect } = engine.engine.stats().operations;
  return [accept?.completed ?? 0, connect?.completed ?? 0];
};
const text = async (stream) => {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
};
`;

/** Each program echoes over one connection and prints what it got. */
const programs = {
  net: `const net = require('net');
    const server = net.createServer((socket) => socket.pipe(socket));
    const client = net.connect(await listen(server), '127.0.0.1');
    client.end('net');
    console.log(await text(client));
    server.close();`,
  http: `const http = require('http');
    const server = http.createServer((request, response) => request.pipe(response));
    const request = http.request({ port: await listen(server), method: 'POST', agent: false });
    request.end('http');
    console.log(await text((await once(request, 'response'))[0]));
    server.close();`,
  fetch: `const server = require('http').createServer((request, response) => request.pipe(response));
    const url = 'http://127.0.0.1:' + (await listen(server));
    const headers = { connection: 'close' };
    console.log(await (await fetch(url, { method: 'POST', body: 'fetch', headers })).text());
    server.close();`,
  tls: `const tls = require('tls');
    const server = tls.createServer(certificate, (socket) => socket.pipe(socket));
    const client = tls.connect({ port: await listen(server), host: '127.0.0.1', ...secure });
    client.end('tls');
    console.log(await text(client));
    server.close();`,
  https: `const https = require('https');
    const server = https.createServer(certificate, (request, response) => request.pipe(response));
    const options = { port: await listen(server), method: 'POST', agent: false, ...secure };
    const request = https.request(options);
    request.end('https');
    console.log(await text((await once(request, 'response'))[0]));
    server.close();`,
  http2: `const http2 = require('http2');
    const server = http2.createServer((request, response) => request.pipe(response));
    const session = http2.connect('http://127.0.0.1:' + (await listen(server)));
    const stream = session.request({ ':method': 'POST' });
    stream.end('http2');
    console.log(await text(stream));
    session.close();
    server.close();`,
  'http2 secure': `const http2 = require('http2');
    const server = http2.createSecureServer(certificate, (request, response) => {
      request.pipe(response);
    });
    const session = http2.connect('https://127.0.0.1:' + (await listen(server)), secure);
    const stream = session.request({ ':method': 'POST' });
    stream.end('http2 secure');
    console.log(await text(stream));
    session.close();
    server.close();`,
};

const datagrams = `const dgram = require('dgram');
    const server = dgram.createSocket('udp4', (bytes, { port }) => server.send(bytes, port));
    await once(server.bind(0, '127.0.0.1'), 'listening');
    const client = dgram.createSocket('udp4');
    client.send('dgram', server.address().port);
    console.log(String((await once(client, 'message'))[0]));
    client.close();
    server.close();
    ${load('engine')}
    console.log(engine.engine.stats().datagramsReceived);`;

const whole = (program: string): string =>
  `${prelude} (async () => { ${program}\n console.log(...count()); })();`;

function same(
  name: string,
  program: string,
  expected: string,
  options: RunOptions = imported,
): void {
  t.test(name, nodeServes, async (test) => {
    const ended = await run(whole(program), 15_000, options);
    test.strictSame(
      [ended.code, ended.stdout.trim().split('\n'), ended.stderr],
      [0, expected.split('\n'), ''],
    );
  });
}

/** Connections that a TLS client opens on the core: elsewhere it has Node's own handle. */
const tlsOpens = process.platform === 'win32' ? 1 : 0;

for (const [name, program] of Object.entries(programs)) {
  const opened = ['tls', 'https', 'http2 secure'].includes(name) ? tlsOpens : 1;
  same(`${name}, both sides`, program, `${name}\n1 ${opened}`);
}

same('datagrams', datagrams, 'dgram\n2\n0 0');
same(
  'datagrams, by classes of the program’s own',
  datagrams.replace(
    "const server = dgram.createSocket('udp4', (",
    `class Own extends dgram.Socket {}
    const node = Object.getPrototypeOf(dgram.Socket);
    const isOne = (socket) => socket instanceof Own && socket instanceof node;
    if (!isOne(new Own('udp4').unref()) || !(dgram.createSocket('udp4').close() instanceof node)) {
      console.log('no instance');
    }
    const server = new Own('udp4', (`,
  ),
  'dgram\n2\n0 0',
);
same('no datagrams with one part', datagrams, 'dgram\n0\n0 0', {
  ...imported,
  env: { IOCP_NET_REGISTER: 'server' },
});
same('with --require', programs.http, 'http\n1 1', { execArgv: ['--require', file] });
same('with NODE_OPTIONS', programs.http, 'http\n1 1', {
  env: { NODE_OPTIONS: `--import ${asModule}` },
});
same('servers only', programs.http, 'http\n1 0', {
  ...imported,
  env: { IOCP_NET_REGISTER: 'server' },
});
same('clients only', programs.http, 'http\n0 1', {
  ...imported,
  env: { IOCP_NET_REGISTER: 'client' },
});

same(
  'after modules that stand on net',
  `require('https'); require(${JSON.stringify(file)}); ${programs.https}`,
  `https\n1 ${tlsOpens}`,
  {},
);

// Node runs what --import asks for in workers of a file or URL, not in those of a text.
same(
  'in a worker',
  `const { Worker } = require('node:worker_threads');
   const source = ${JSON.stringify(`import { createRequire } from 'node:module';
     const require = createRequire(process.execPath); ${whole(programs.http)}`)};
   const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source)));
   await once(worker, 'exit');`,
  'http\n1 1\n0 0',
);

same(
  'through import, as a name and as the whole',
  `const { default: net, createServer, Server } = await import('node:net');
   console.log(Server === require('net').Server, net.Server === Server, net === require('net'));
   const server = createServer((socket) => socket.end('imported'));
   console.log(await text(net.connect(await listen(server), '127.0.0.1')));
   server.close();`,
  'true true true\nimported\n1 1',
);

same(
  'a TLS client that has several addresses to try',
  `const tls = require('tls');
   const server = tls.createServer(certificate, (socket) => socket.end('second'));
   const lookup = (host, options, callback) => callback(null, [
     { address: '127.0.0.2', family: 4 }, { address: '::1', family: 6 },
     { address: '127.0.0.1', family: 4 },
   ]);
   const options = { port: await listen(server), host: 'several', lookup, ...secure };
   const client = tls.connect({ ...options, autoSelectFamily: true });
   console.log(await text(client));
   server.close();`,
  `second\n1 ${3 * tlsOpens}`,
);

// On Windows a socket stays with its process.
if (process.platform !== 'win32') {
  same(
    'a socket sent to a child',
    `const { spawn } = require('child_process');
     const net = require('net');
     const program = "process.on('message', (message, socket) => {" +
       " socket.end('from the child').on('close', () => process.disconnect()); });";
     const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
     const child = spawn(process.execPath, ['-e', program], { stdio });
     const server = net.createServer({ pauseOnConnect: true }, (socket) => {
       child.send('take it', socket);
       server.close();
     });
     console.log(await text(net.connect(await listen(server), '127.0.0.1')));`,
    'from the child\n1 1',
  );
}

t.test('a value that means nothing', async (test) => {
  const { code, stderr } = await run('', 15_000, {
    ...imported,
    env: { IOCP_NET_REGISTER: 'everything' },
  });
  test.equal(code, 1);
  test.match(stderr, /ERR_INVALID_ARG_VALUE/);
});

t.test('NODE_DEBUG=iocp-net says what was done', async (test) => {
  const { stderr } = await run('', 15_000, { ...imported, env: { NODE_DEBUG: 'iocp-net' } });
  test.match(stderr, /net\.createServer is ours/);
});

t.test('what the program does not ask for is not loaded', async (test) => {
  const asked = `const loaded = (name) => process.moduleLoadList.includes('NativeModule ' + name);
    const names = ['http', 'https', 'http2', 'tls', 'child_process', 'dns'];
    process.stderr.write(names.filter(loaded).join());`;
  // A test runner may preload something into children.
  const plain = await run(asked);
  for (const execArgv of [
    imported.execArgv,
    ['--require', file],
    ['--require', entryFile('net')],
  ]) {
    const { stderr } = await run(asked, 15_000, { execArgv });
    test.equal(stderr, plain.stderr, execArgv.join(' '));
  }
});

t.test('what is thrown names the sources, with --enable-source-maps', async (test) => {
  const program = `try { ${load('engine')} engine.engine.configure({ linger: -1 }); }
    catch ({ stack }) { console.log(stack); }`;
  const { stdout } = await run(program, 15_000, { execArgv: ['--enable-source-maps'] });
  test.match(stdout, /checkInteger .*src.engine-options\.ts:\d+/);
  test.match(stdout, /invalidValue .*src.invalid-value\.ts:\d+/);
});

same(
  'a TLS socket made by itself, after register and before anything of tls',
  `const { TLSSocket } = require('tls');
   const server = require('tls').createServer(certificate, (socket) => socket.end('alone'));
   const client = new TLSSocket(undefined, secure);
   client.connect(await listen(server), '127.0.0.1', () => client._start());
   console.log(await text(client));
   server.close();`,
  `alone\n1 ${tlsOpens}`,
);
