/** Datagram sockets on ports of their own: which class lands where, and that all goes on beside. */
import t from 'tap';
import { networkInterfaces } from 'node:os';
import { engine, type EngineOptions } from 'iocp-net/engine';
import * as dgram from 'iocp-net/dgram';
import { entryFile, load, run, runAsFile } from '../support/child';

const onCore = { skip: engine.backend === 'node' && 'node:dgram serves' };
// Each of many programs takes seconds where the machine is busy.
t.setTimeout(180_000);

const isWindows = process.platform === 'win32';
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.family === 'IPv6');

t.test('what is no class is refused as Node refuses', async (test) => {
  for (const trafficClass of ['stream', 'unicast', '', 1, null, true, {}] as unknown[]) {
    const make = (): unknown =>
      dgram.createSocket({ type: 'udp4', trafficClass } as dgram.SocketOptions);
    test.throws(make, {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message:
        /^The property 'options\.trafficClass' must be one of: 'datagram', 'broadcast', 'mul/,
    });
  }
  dgram.createSocket({ type: 'udp4', trafficClass: undefined }).close();
});

const prelude = `
  const { once } = require('node:events');
  ${load('engine')} ${load('net')} ${load('dgram')}
  const bound = async (options, ...address) => {
    const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true, ...options });
    socket.bind(...address);
    await once(socket, 'listening');
    return socket;
  };
  const closed = async (socket) => {
    const end = once(socket, 'close');
    socket.close();
    await end;
  };
  const openOn = () =>
    engine.engine.stats().ports.map(({ datagramSocketsOpen }) => datagramSocketsOpen).join();
  /** Sockets join their port in the next round of the event loop, or when its thread has come to it. */
  const untilOpen = async (count) => {
    const open = () => engine.engine.stats().datagramSocketsOpen;
    while (open() !== count) await new Promise((done) => setTimeout(done, 5));
    return openOn();
  };
  const configure = (ports) => engine.engine.configure({ ports });
`;

const inAsync = (program: string): string =>
  `${prelude} (async () => { ${program} })().catch((error) => {
    console.log(error);
    process.exit(1);
  });`;

const joined = `
  socket.addMembership('239.1.2.3', '127.0.0.1');
  return socket;`;

/** Programs that make a socket, and its port: 0 of streams, 1 datagrams, 2 broadcast, 3 multicast. */
const sockets: readonly (readonly [name: string, program: string, port: number])[] = [
  ['any address', `return bound({}, 0)`, 1],
  ['an address', `return bound({}, 0, '127.0.0.1')`, 1],
  ['asked for datagrams', `return bound({ trafficClass: 'datagram' }, 0, '127.0.0.1')`, 1],
  ['asked for broadcast', `return bound({ trafficClass: 'broadcast' }, 0, '0.0.0.0')`, 2],
  ['asked for multicast', `return bound({ trafficClass: 'multicast' }, 0, '127.0.0.1')`, 3],
  [
    'bound by sending',
    `const socket = dgram.createSocket('udp4');
     socket.send('x', 9, '127.0.0.1');
     await once(socket, 'listening');
     return socket;`,
    1,
  ],
  ['bound by joining', `const socket = dgram.createSocket('udp4'); ${joined}`, 3],
  ['joined later', `const socket = await bound({}, 0); ${joined}`, 1],
  [
    'what is asked for comes before joining',
    `const socket = dgram.createSocket({ type: 'udp4', trafficClass: 'broadcast' }); ${joined}`,
    2,
  ],
];

/** Windows binds to none of these. */
const socketsOfLinux: typeof sockets = [
  ['an address of multicast', `return bound({}, 0, '239.1.2.3')`, 3],
  ['the address of broadcast', `return bound({}, 0, '255.255.255.255')`, 2],
  [
    'what is asked for comes before the address',
    `return bound({ trafficClass: 'datagram' }, 0, '239.1.2.3')`,
    1,
  ],
];

const socketsOfIpv6: typeof sockets = [
  ['an address of IPv6', `return bound({ type: 'udp6' }, 0, '::1')`, 1],
  [
    'asked for multicast of IPv6',
    `return bound({ type: 'udp6', trafficClass: 'multicast' }, 0, '::1')`,
    3,
  ],
];

t.test('each class has its port', onCore, async (test) => {
  const all = [...sockets, ...(isWindows ? [] : socketsOfLinux), ...(hasIpv6 ? socketsOfIpv6 : [])];
  const { stdout, stderr } = await run(
    inAsync(`configure({ datagram: true, broadcast: true, multicast: true });
      const makers = [${all.map(([, program]) => `async () => { ${program} }`).join(',\n')}];
      const closed = () =>
        engine.engine.stats().ports.map(({ operations }) => operations.closeDatagrams.submitted);
      for (const make of makers) {
        const socket = await make();
        const before = closed();
        socket.close();
        while (closed().every((count, port) => count === before[port])) {
          await new Promise((done) => setTimeout(done, 5));
        }
        console.log(closed().map((count, port) => count - before[port]).join());
      }`),
  );
  const found = stdout.trim().split('\n');
  for (const [index, [name, , port]] of all.entries()) {
    const expected = [0, 0, 0, 0].map((_, each) => (each === port ? 1 : 0)).join();
    test.equal(found[index] ?? stderr, expected, name);
  }
});

t.test('and shares one where it has none', onCore, async (test) => {
  const program = (ports: string): string =>
    inAsync(`configure(${ports});
      for (const trafficClass of ['datagram', 'broadcast', 'multicast']) {
        await bound({ trafficClass }, 0, '127.0.0.1');
      }
      console.log(await untilOpen(3)); process.exit();`);
  for (const [ports, expected] of [
    ['{}', '3'],
    ['{ datagram: true }', '0,3'],
    ['{ broadcast: true }', '2,1'],
    ['{ datagram: true, multicast: true }', '0,2,1'],
  ] as const) {
    test.equal((await run(program(ports))).stdout.trim(), expected, ports);
  }
});

/** Round trips of each class, TCP beside them, and who has received how much; then the end. */
const roundTrips = `
  const group = '239.5.6.7';
  const receivers = {
    datagram: await bound({ trafficClass: 'datagram' }, 0, '127.0.0.1'),
    broadcast: await bound({ trafficClass: 'broadcast' }, 0, '0.0.0.0'),
    multicast: await bound({ trafficClass: 'multicast' }, 0, '0.0.0.0'),
  };
  receivers.multicast.addMembership(group, '127.0.0.1');
  const addresses = { datagram: '127.0.0.1', broadcast: '127.255.255.255', multicast: group };
  for (const socket of Object.values(receivers)) {
    socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
  }
  const client = await bound({ trafficClass: 'datagram' }, 0, '127.0.0.1');
  client.setBroadcast(true);
  client.setMulticastInterface('127.0.0.1');
  client.setMulticastLoopback(true);
  const server = net.createServer((peer) => peer.pipe(peer));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const tcp = net.connect(server.address().port, '127.0.0.1');
  let heard = '';
  for (let round = 0; round < 50; round++) {
    for (const [name, socket] of Object.entries(receivers)) {
      const text = name + round;
      const answered = once(client, 'message');
      client.send(text, socket.address().port, addresses[name]);
      const [bytes] = await answered;
      if (String(bytes) !== text) throw new Error(bytes + ' instead of ' + text);
    }
    tcp.write('x');
    heard += (await once(tcp, 'data'))[0];
  }
  const { ports } = engine.engine.stats();
  console.log(heard.length, ports.map((port) => port.datagramsReceived).join());
  console.log(ports.map((port) => port.operations.connect.completed).join());
  tcp.destroy();
  server.close();
  for (const socket of [client, ...Object.values(receivers)]) await closed(socket);
  console.log(await untilOpen(0));
`;

const driven: Record<string, EngineOptions['ports']> = {
  'one port': {},
  'the event loop': { datagram: true, broadcast: true, multicast: true },
  threads: {
    datagram: { thread: true },
    broadcast: { thread: true },
    multicast: { thread: true, core: 0 },
  },
  'the event loop and threads': { datagram: true, broadcast: { thread: true }, multicast: true },
  'threads for streams, the event loop for the others': {
    stream: 1,
    datagram: true,
    broadcast: true,
    multicast: true,
  },
};

/** Wine's loopback has no broadcast. */
const trips = isWindows ? roundTrips.replaceAll('127.255.255.255', '127.0.0.1') : roundTrips;

for (const [name, ports] of Object.entries(driven)) {
  t.test(`round trips beside TCP, driven by ${name}, and the end`, onCore, async (test) => {
    const program = inAsync(`configure(${JSON.stringify(ports)}); ${trips}`);
    const { code, stdout, stderr } = await run(program, 30_000);
    const isOne = Object.keys(ports as object).length === 0;
    test.strictSame([code, stderr], [0, '']);
    test.strictSame(
      stdout.trim().split('\n'),
      isOne ? ['50 300', '1', '0'] : ['50 0,200,50,50', '1,0,0,0', '0,0,0,0'],
    );
  });
}

t.test('accepted connections stay with the streams', onCore, async (test) => {
  const { stdout, stderr } = await run(
    inAsync(`configure({ stream: 2, datagram: { thread: true }, multicast: true });
      const server = net.createServer();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const clients = [];
      for (let i = 0; i < 20; i++) clients.push(net.connect(server.address().port, '127.0.0.1'));
      await Promise.all(clients.map((client) => once(client, 'connect')));
      while (server._connections < 20) await new Promise((done) => setTimeout(done, 5));
      const { ports } = engine.engine.stats();
      const [first, ...others] = ports.map(({ socketsOpen }) => socketsOpen);
      console.log(first + others[0], others.slice(1).join());
      process.exit();`),
  );
  test.equal(stdout.trim() || stderr, '40 0,0');
});

t.test('each worker has its own', onCore, async (test) => {
  const { code, stdout, stderr } = await runAsFile(
    `
    const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
    ${prelude}
    if (isMainThread) {
      configure({ multicast: true });
      const ask = (ports, terminate) => new Promise((resolve) => {
        const worker = new Worker(__filename, { workerData: ports });
        let said;
        worker.on('message', (text) => {
          said = text;
          if (terminate) worker.terminate();
        });
        worker.on('exit', (code) => resolve(said + (terminate ? '' : ' ' + code)));
      });
      (async () => {
        for (const terminate of [false, true]) {
          console.log(await ask({ datagram: { thread: true }, multicast: true }, terminate));
          console.log(await ask({ stream: 1, datagram: true, multicast: true }, terminate));
        }
        engine.engine.backend;
        console.log(openOn());
      })();
    } else {
      configure(workerData);
      (async () => {
        const sockets = [await bound({}, 0, '127.0.0.1'), await bound({ trafficClass: 'multicast' }, 0, '127.0.0.1')];
        const [a, b] = sockets;
        b.on('message', (bytes, { port, address }) => b.send(bytes, port, address));
        a.send('x', b.address().port, '127.0.0.1');
        await once(a, 'message');
        parentPort.postMessage(openOn());
        for (const socket of sockets) await closed(socket);
      })();
    }`,
    30_000,
  );
  test.strictSame([code, stderr], [0, '']);
  test.strictSame(stdout.trim().split('\n'), ['0,1,1 0', '0,1,1 0', '0,1,1', '0,1,1', '0,0']);
});

t.test('with register, too', onCore, async (test) => {
  const { stdout, stderr } = await run(`
    require(${JSON.stringify(entryFile('register'))});
    ${load('engine')}
    const dgram = require('node:dgram');
    engine.engine.configure({ ports: { multicast: true } });
    try { dgram.createSocket({ type: 'udp4', trafficClass: 'any' }); }
    catch ({ code }) { console.log(code); }
    const socket = dgram.createSocket({ type: 'udp4', trafficClass: 'multicast' });
    const look = () => {
      const open = engine.engine.stats().ports.map((port) => port.datagramSocketsOpen);
      if (!open.includes(1)) return setTimeout(look, 5);
      console.log(open.join());
      socket.close();
    };
    socket.bind(0, '127.0.0.1', look);`);
  test.equal(stdout.trim() || stderr, 'ERR_INVALID_ARG_VALUE\n0,1');
});
