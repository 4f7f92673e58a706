/** What async_hooks sees: what each event runs in, and what caused it. */
import t from 'tap';
import { AsyncLocalStorage, createHook, executionAsyncId, triggerAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import * as nodeHttp from 'node:http';
import type * as nodeNet from 'node:net';
import { sameAsNode } from '../support/compare';
import { closed, closeServer, closing, connectedPair, listen, pattern } from '../support/sockets';

const types = new Map<number, string>([[0, 'none']]);
/** Resources of net, and of which type was their cause. */
let made: string[] = [];

const hook = createHook({
  init(id, type, cause) {
    types.set(id, type);
    if (/^(?:TCP|PIPE)/.test(type)) made.push(`${type} by ${types.get(cause) ?? 'other'}`);
  },
});

const typeOf = (id: number): string => types.get(id) ?? 'other';

type Log = (...what: unknown[]) => void;

function note(name: string, emitter: NodeJS.EventEmitter, events: string[], log: Log): void {
  for (const event of events) {
    emitter.on(event, () =>
      log(name, event, typeOf(executionAsyncId()), 'by', typeOf(triggerAsyncId())),
    );
  }
}

const socketEvents = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'ready',
  'data',
  'end',
  'finish',
  'error',
  'close',
];

/** An exchange in which each event has only one cause and one order. */
async function exchange(client: nodeNet.Socket, server: nodeNet.Server, log: Log): Promise<void> {
  const clientEvents: unknown[] = [];
  const peerEvents: unknown[] = [];
  note('client', client, socketEvents, (...what) => clientEvents.push(what));
  const ends: Promise<void>[] = [closing(client)];
  note('server', server, ['connection', 'close'], log);
  server.on('connection', (peer) => {
    note('peer', peer, socketEvents, (...what) => peerEvents.push(what));
    peer.on('data', (chunk) => peer.write(chunk));
    ends.push(closing(peer));
  });
  client.once('connect', () => client.write('x'));
  client.once('data', () => client.end());
  await once(client, 'close');
  await Promise.all(ends);
  log(clientEvents, peerEvents);
}

for (const host of ['127.0.0.1', 'localhost']) {
  sameAsNode(t, `an exchange with ${host}`, async ({ net: module, log }) => {
    hook.enable();
    made = [];
    const server = module.createServer();
    note('server', server, ['listening'], log);
    const port = await listen(server);
    const client = module.connect({ port, host, family: 4 });
    await exchange(client, server, log);
    await closeServer(server);
    hook.disable();
    log(made.sort());
  });
}

sameAsNode(t, 'a connection refused', async ({ net: module, log }) => {
  const server = module.createServer();
  const port = await listen(server);
  await closeServer(server);
  hook.enable();
  made = [];
  const client = module.connect(port, '127.0.0.1');
  note('client', client, socketEvents, log);
  await closing(client.on('error', () => {}));
  hook.disable();
  log(made);
});

sameAsNode(t, 'a lookup that loses the context', async ({ net: module, log }) => {
  const storage = new AsyncLocalStorage<string>();
  const server = module.createServer((socket) => socket.end('x'));
  const port = await listen(server);
  const pending: (() => void)[] = [];
  const client = storage.run('connect()', () =>
    module.connect({
      port,
      host: 'example.test',
      autoSelectFamily: false,
      lookup: (_host, _options, callback) =>
        void pending.push(() => callback(null, '127.0.0.1', 4)),
    }),
  );
  for (const event of ['lookup', 'connect', 'data', 'end', 'close']) {
    client.on(event, () => log(event, storage.getStore()));
  }
  storage.run('lookup', () => pending[0]?.());
  await closing(client);
  await closeServer(server);
});

sameAsNode(t, 'callbacks run in the context of their call', async ({ net: module, log }) => {
  const storage = new AsyncLocalStorage<string>();
  const { client, peer, server } = await connectedPair(module);
  let sent = 0;
  const written = (size: number, context: string): Promise<void> =>
    new Promise((resolve) =>
      storage.run(context, () => {
        sent += size;
        client.write(pattern(size), () => {
          log(storage.getStore());
          resolve();
        });
      }),
    );
  await written(10, 'small');
  // More than any kernel buffer takes: called back when the peer has read.
  const large = written(32 << 20, 'large');
  peer.resume();
  await large;
  await new Promise<void>((resolve) =>
    storage.run('end', () =>
      client.end(() => {
        log(storage.getStore());
        resolve();
      }),
    ),
  );
  log(sent === client.bytesWritten);
  await Promise.all([closed(client), closed(peer)]);
  await new Promise<void>((resolve) =>
    storage.run('close', () =>
      server.close(() => {
        log(storage.getStore());
        resolve();
      }),
    ),
  );
});

// Test runners list as left open what is not destroyed and does not say that it is unreferenced.
sameAsNode(t, 'a resource says whether it holds the process', async ({ net: module, log }) => {
  const resources: { type: string; hasRef: () => boolean }[] = [];
  const collect = createHook({
    init(id, type, cause, resource) {
      types.set(id, type);
      // Not what a server accepts: that is the port layer's.
      if (!/^(?:TCP|PIPE).*WRAP$/.test(type) || /CONNECT/.test(type)) return;
      if (types.get(cause) === 'TCPSERVERWRAP') return;
      const asked = resource as { hasRef?(): boolean };
      if (asked.hasRef === undefined) log(type, 'cannot say');
      resources.push({ type, hasRef: () => asked.hasRef?.() ?? true });
    },
  }).enable();
  const said = (when: string): void =>
    log(when, ...resources.map(({ type, hasRef }) => `${type} ${hasRef()}`).sort());
  const server = module.createServer((socket) => socket.on('end', () => {}).resume());
  const port = await listen(server);
  const client = module.connect(port, '127.0.0.1');
  await once(client, 'connect');
  said('connected');
  client.unref();
  server.unref();
  said('unreferenced');
  client.ref();
  server.ref();
  said('referenced');
  client.end();
  client.resume();
  await closed(client);
  await closeServer(server);
  collect.disable();
});

sameAsNode(t, 'a connection that an HTTP agent gives to another request', async ({ net, log }) => {
  const resources = new Map<number, { handle?: object }>();
  const ended: number[] = [];
  const watch = createHook({
    init(id, type, _cause, resource: object) {
      if (type === 'TCPWRAP') resources.set(id, resource);
    },
    destroy: (id) => void ended.push(id),
  }).enable();
  const requests = new AsyncLocalStorage<string>();
  const server = nodeHttp.createServer((_request, response) => response.end('answer'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as nodeNet.AddressInfo;
  const agent = new nodeHttp.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = (options) => net.connect(options as nodeNet.TcpNetConnectOpts);

  const ids: number[] = [];
  const sockets = new Set<object>();
  let contextOfClose: Promise<unknown> | undefined;
  const ask = async (name: string): Promise<void> => {
    const request = nodeHttp.get({ agent, port, host: '127.0.0.1' });
    const [response] = (await once(request, 'response')) as [nodeHttp.IncomingMessage];
    const { socket } = response;
    const handle = (socket as unknown as { _handle: { getAsyncId(): number } })._handle;
    ids.push(handle.getAsyncId());
    sockets.add(socket);
    response.resume();
    await once(response, 'end');
    await new Promise(setImmediate);
    contextOfClose ??= new Promise((resolve) =>
      socket.once('close', () => resolve([name, requests.getStore()])),
    );
  };
  await requests.run('first', () => ask('listened in first'));
  await requests.run('second', () => ask('listened in second'));
  agent.destroy();
  log('close in', await contextOfClose);
  server.close();
  await once(server, 'close');
  await new Promise(setImmediate);
  watch.disable();
  const [first = 0, second = 0] = ids;
  log('sockets', sockets.size, 'ids differ', first !== second);
  log('the second has the first', resources.get(second)?.handle === resources.get(first));
  for (const id of ids) log('ended', ended.filter((each) => each === id).length);
});
