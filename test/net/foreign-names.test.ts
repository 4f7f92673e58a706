/**
 * Someone else's code has put a name on Object.prototype. Options that are given in full, and all
 * that is asked for without options, work as with `node:net`.
 */
import t from 'tap';
import { load, run } from '../support/child';

/**
 * Names that objects of ours or of Node's have, with values that would be seen if they were read.
 * With some others (value, writable) Node's own modules cannot be loaded.
 */
const names: Record<string, unknown> = {
  atEnd: 1,
  error: 'EPERM',
  fd: 1,
  get: 1,
  handle: 1,
  interval: 1,
  kind: 'local',
  localAddress: '192.0.2.1',
  localPort: 1,
  onread: 1,
  path: '/nowhere/at/all',
  scope: 1,
  triggerAsyncId: 1,
};

/** What a child says; it uses `net`, and `name` and `value` of the one to put there. */
const program = `
  const say = (what) => { process.stdout.write(what); process.exit(0); };
  process.on('uncaughtException', (error) => say('uncaught ' + (error.code || error.message)));
  const descriptor = { __proto__: null, value, configurable: true, writable: true };
  Object.defineProperty(Object.prototype, name, descriptor);
  const all = { path: undefined, fd: undefined, handle: undefined, signal: undefined,
    localAddress: undefined, localPort: undefined, family: undefined, lookup: undefined,
    onread: undefined, backlog: undefined, ipv6Only: undefined, reusePort: undefined,
    allowHalfOpen: undefined, readable: undefined, writable: undefined, keepAlive: true,
    host: '127.0.0.1', __proto__: null };
  const server = net.createServer({ ...all, host: undefined }, (socket) => {
    socket.on('error', (error) => say('accepted ' + error.code));
    socket.setKeepAlive(true, 1000);
    socket.pipe(socket);
  });
  server.on('error', (error) => say('server ' + error.code));
  server.listen({ ...all, port: 0 }, () => {
    const socket = net.connect({ ...all, port: server.address().port });
    if (typeof socket._handle.getsockname !== 'function') say('another kind of handle');
    socket.on('error', (error) => say('socket ' + (error.code || error.message)));
    socket.once('data', () => {
      socket.end();
      const again = net.connect({ ...all, port: server.address().port, localAddress: '127.0.0.1' });
      again.on('error', (error) => say('bound ' + (error.code || error.message)));
      again.on('connect', () => {
        again.destroy();
        server.close();
        server.on('close', () => {
          const refused = net.connect({ ...all, port: socket.remotePort ?? 1 });
          refused.on('error', (error) => say('echoed ' + error.syscall));
        });
      });
    });
    socket.write('hi');
  });
  setTimeout(() => say('nothing happens'), 8000);`;

// Each starts processes; a busy machine takes its time.
t.setTimeout(120_000);

for (const [name, value] of Object.entries(names)) {
  t.test(`Object.prototype.${name}`, async (test) => {
    const put = `const name = ${JSON.stringify(name)}, value = ${JSON.stringify(value)};\n`;
    const loads = ["const net = require('node:net');\n", load('net')];
    const [expected, actual] = await Promise.all(loads.map((each) => run(each + put + program)));
    test.strictSame(actual, expected);
    test.match(expected?.stdout, 'echoed');
  });
}

/** Connects by name, to addresses of both families. */
const byName = `
  Object.prototype[Symbol.iterator] = function* () {};
  const say = (what) => { process.stdout.write(what); process.exit(0); };
  const both = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }];
  const lookup = (name, options, found) => process.nextTick(found, null, both);
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const socket = net.connect({ port: server.address().port, host: 'both.example', lookup });
    socket.on('connect', () => say('connected'));
  });
  setTimeout(() => say('nothing happens'), 8000);`;

t.test('Object.prototype[Symbol.iterator]', async (test) => {
  const loads = ["const net = require('node:net');\n", load('net')];
  const [expected, actual] = await Promise.all(loads.map((each) => run(each + byName)));
  test.strictSame(actual, expected);
  test.equal(expected?.stdout, 'connected');
});
