/** `socket._handle` and `server._handle`: what Node's own code and the ecosystem do with them. */
import t from 'tap';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { load, run } from '../support/child';
import { closed, closeServer, connectedPair, listen, pattern, quiet } from '../support/sockets';
import type { Net, Pair } from '../support/sockets';
import { localPair, localPath, onWindows } from '../support/local';

/** What the tests touch of a handle. */
interface Handle {
  fd: number;
  reading: boolean;
  isStreamBase: boolean;
  close: (callback?: () => void) => void;
  hasRef: () => boolean;
  getAsyncId: () => number;
  getsockname: (out: object) => number;
  getpeername: (out: object) => number;
  setNoDelay: (enable: boolean) => number;
  setKeepAlive: (enable: boolean, delay: number) => number;
  readStop: () => number;
  hasPendingRead?: () => boolean;
  open: (fd: number) => number;
  listen: (backlog: number) => number;
  setBlocking: (enable: boolean) => number;
  owner: object;
}

const handleOf = (socket: unknown): Handle | null => (socket as { _handle: Handle | null })._handle;

/** The handle of a socket that must have one. */
function open(socket: unknown): Handle {
  const handle = handleOf(socket);
  if (handle === null) throw new Error('no handle');
  return handle;
}

async function atClient(net: Net): Promise<{ client: nodeNet.Socket; end: () => Promise<void> }> {
  const server = net.createServer(quiet);
  const client = net.connect(await listen(server), '127.0.0.1');
  const end = async (): Promise<void> => {
    await closed(client);
    server.close();
  };
  return { client, end };
}

sameAsNode(t, 'a handle from connect() to the end', async ({ net, log }) => {
  const before = new net.Socket();
  log('fresh', handleOf(before));
  const { client, end } = await atClient(net);
  const handle = open(client);
  log(handle.constructor.name, handle.isStreamBase, handle.hasRef());
  await once(client, 'connect');
  log('the same when connected', handleOf(client) === handle);
  client.unref();
  log('unref', handle.hasRef());
  client.ref();
  log('async id', handle.getAsyncId() > 0);
  await end();
  log('destroyed', handleOf(client));
});

/** What a paused client's handle says: at first, with bytes, without, at the end, when closed. */
async function pendingReads({
  client,
  peer,
  server,
}: Omit<Pair, 'port'>): Promise<(boolean | undefined)[]> {
  quiet(client);
  const handle = open(client);
  const said: (boolean | undefined)[] = [];
  const ask = (): void => void said.push(handle.hasPendingRead?.());
  // What was sent is there on loopback soon; nothing of it is taken meanwhile.
  const untilArrived = (): void => {
    const end = Date.now() + 50;
    while (Date.now() < end);
  };
  client.pause();
  ask();
  peer.write('some');
  untilArrived();
  ask();
  client.resume();
  await once(client, 'data');
  client.pause();
  ask();
  handle.readStop();
  await once(peer.end(), 'finish');
  untilArrived();
  ask();
  client.destroy();
  ask();
  await closed(peer);
  await closeServer(server);
  return said;
}

type Connect = (net: Net) => Promise<Omit<Pair, 'port'>>;

// The end of a named pipe cannot be seen before it is read, and Node's handles do not say there.
const kindsOfPair: Record<string, Connect> = {
  tcp: connectedPair,
  ...(onWindows ? {} : { local: (net: Net) => localPair(net, localPath()) }),
};

for (const [kind, connect] of Object.entries(kindsOfPair)) {
  t.test(`whether something waits to be read, ${kind}`, async (t) => {
    const expected = [false, true, false, true, false];
    t.strictSame(await pendingReads(await connect(net)), expected);
    const nodes = await pendingReads(await connect(nodeNet));
    if (nodes[0] === undefined) t.comment('this Node does not say');
    else t.strictSame(nodes, expected, 'as node:net');
  });
}

sameAsNode(t, 'what is for handles without a connection', async ({ net, log }) => {
  const { client, close } = await connectedPair(net);
  const handle = open(client);
  log(handle.setBlocking(false), handle.owner === client);
  // On Windows libuv loses the connection that it has.
  if (!onWindows) log(handle.open(0), handle.listen(5));
  await close();
});

sameAsNode(t, 'addresses and descriptor', async ({ net, log }) => {
  const { client, close, port } = await connectedPair(net);
  const handle = open(client);
  const [local, peer] = [{}, {}] as [nodeNet.AddressInfo, nodeNet.AddressInfo];
  log(handle.getsockname(local), handle.getpeername(peer));
  log(local.port === client.localPort, peer.port === port, peer.family, peer.address);
  log(process.platform === 'win32' ? handle.fd : handle.fd > 2);
  await close();
  log(handle.getpeername({}) < 0);
});

sameAsNode(t, "a client's options go through methods put in place", async ({ net, log }) => {
  const server = net.createServer(quiet);
  const port = await listen(server);
  const client = net.connect({ port, host: '127.0.0.1', noDelay: true, keepAlive: true });
  const handle = open(client);
  handle.setNoDelay = (...args) => (log('setNoDelay', ...args), 0);
  handle.setKeepAlive = (enable, delay) => (log('setKeepAlive', enable, delay), 0);
  await once(client, 'connect');
  client.setNoDelay(true);
  client.setNoDelay(false);
  client.setKeepAlive(true, 5999);
  client.setKeepAlive(true, 5000);
  await closed(client);
  server.close();
});

sameAsNode(t, "a server's options go through the accepted handle", async ({ net, log }) => {
  const server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 7000 });
  const port = await listen(server);
  const listening = open(server) as unknown as {
    onconnection: (this: object, error: number, handle: Handle) => void;
  };
  const { onconnection } = listening;
  let given: Handle | undefined;
  listening.onconnection = (error, handle) => {
    given = handle;
    log(error);
    handle.setNoDelay = (enable) => (log('setNoDelay', enable), 0);
    handle.setKeepAlive = (enable, delay) => (log('setKeepAlive', enable, delay), 0);
    onconnection.call(listening, error, handle);
  };
  const client = net.connect(port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [nodeNet.Socket];
  log(handleOf(socket) === given);
  client.write('hello');
  log(String((await once(socket, 'data'))[0]));
  // The client may close while the server's side does.
  await Promise.all([closed(socket), closed(client)]);
  await closeServer(server);
});

sameAsNode(t, 'a socket whose handle was closed', async ({ net, log, watch }) => {
  const { client, peer, server } = await connectedPair(net);
  watch('client', quiet(client), ['error', 'end', 'close']);
  const handle = open(client);
  await new Promise<void>((resolve) => handle.close(resolve));
  log(handleOf(client) === handle);
  client.write('nowhere');
  await once(client, 'error').catch(() => {});
  log(client.destroyed, handleOf(client));
  await closed(peer);
  await closeServer(server);
});

sameAsNode(t, 'a handle goes to another socket, with what is sent to it', async ({ net, log }) => {
  const { client, peer, server } = await connectedPair(net);
  client.pause();
  const handle = open(client);
  (client as unknown as { _handle: null })._handle = null;
  log(handleOf(client));
  const heir = new net.Socket({ handle } as object);
  log(handleOf(heir) === handle, heir.remotePort === peer.localPort);
  peer.write('to the heir');
  log(String((await once(heir, 'data'))[0]));
  heir.write('from the heir');
  log(String((await once(peer, 'data'))[0]));
  peer.end();
  await once(heir.resume(), 'end');
  await Promise.all([closed(heir), closed(peer)]);
  await closeServer(server);
});

t.test('looking at the handle costs no byte', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const bytes = pattern(2 << 20);
  peer.end(bytes);
  const chunks: Buffer[] = [];
  const seen = new Set<Handle | null>([open(client)]);
  for await (const chunk of client) {
    chunks.push(chunk as Buffer);
    if (!client.destroyed) seen.add(handleOf(client));
  }
  test.equal(seen.size, 1);
  test.ok(Buffer.concat(chunks).equals(bytes));
  await close();
});

t.test('a socket that cannot be sent to another process ends no process', async (test) => {
  const { code, signal, stdout } = await run(`${load('net')}
    const { spawn } = require('node:child_process');
    const program = 'process.on("message", (message) => message === "end" && process.exit())';
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1', () => {
        console.log(client._handle !== null);
        try { child.send('take this', client, () => {}); } catch (error) { console.log(error.code); }
        child.on('exit', () => { client.destroy(); server.close(); });
        child.send('end');
      });
    });`);
  test.match(stdout, 'true\n');
  test.strictSame([code, signal], [0, null]);
});

// Each class of emitters more makes V8's code for all of them less special.
void t.test('the first look at a handle makes one event emitter', async (t) => {
  const { code, stdout } = await run(`${load('net')}
    const { EventEmitter } = require('node:events');
    const server = net.createServer((socket) => {
      const { init } = EventEmitter;
      const made = [];
      EventEmitter.init = function (options) {
        made.push(this.constructor.name);
        return init.call(this, options);
      };
      const { isStreamBase } = socket._handle;
      EventEmitter.init = init;
      console.log(isStreamBase, made.join());
      socket.destroy();
      server.close();
    });
    server.listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1').on('error', () => {});
    });`);
  t.equal(code, 0);
  t.equal(stdout.trim(), 'true JSStreamSocket');
});
