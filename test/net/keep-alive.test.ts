import t from 'tap';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as net from 'iocp-net';
import { core } from '#dist/net/core.js';
import { closed, closeServer, connectedPair } from '../support/sockets';

const isCore = core() !== null;

interface Times {
  timer: string;
  seconds: number;
}

/** What the kernel says of the keep-alive timer of an established connection, by its local port. */
function keepAliveOf(port: number): Times | null {
  const lines = String(execFileSync('ss', ['-tnoH', 'state', 'established', `sport = :${port}`]));
  const [, time] = /timer:\(keepalive,([\d.]+(?:ms|sec|min)),/.exec(lines) ?? [];
  if (time === undefined) return null;
  return { timer: time, seconds: parseFloat(time) * (time.endsWith('min') ? 60 : 1) };
}

const hasSs = process.platform === 'linux' && isCore && canRun('ss', ['-V']);

function canRun(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

t.test('wrong options', (test) => {
  const wrong: [string, object][] = [
    ['ERR_INVALID_ARG_TYPE', { keepAliveInterval: '1' }],
    ['ERR_OUT_OF_RANGE', { keepAliveInterval: 999 }],
    ['ERR_OUT_OF_RANGE', { keepAliveInterval: 40_000_000 }],
    ['ERR_INVALID_ARG_TYPE', { keepAliveCount: null }],
    ['ERR_OUT_OF_RANGE', { keepAliveCount: 0 }],
    ['ERR_OUT_OF_RANGE', { keepAliveCount: 128 }],
    ['ERR_OUT_OF_RANGE', { keepAliveCount: 1.5 }],
  ];
  for (const [code, options] of wrong) {
    test.throws(() => net.createServer(options), { code }, JSON.stringify(options));
    if (isCore) test.throws(() => new net.Socket(options), { code });
  }
  test.end();
});

t.test(
  'a server starts the probes of its connections',
  { skip: !hasSs && 'needs ss' },
  async (test) => {
    const server = { keepAlive: true, keepAliveInitialDelay: 30_000, keepAliveCount: 3 };
    const { port, peer, client, close } = await connectedPair(net, { server });
    const found = keepAliveOf(port);
    test.ok(
      found !== null && found.seconds > 25 && found.seconds <= 30,
      found?.timer ?? 'no timer',
    );
    client.setKeepAlive(true, 50_000);
    const localPort = (client.address() as AddressInfo).port;
    const ofClient = keepAliveOf(localPort);
    test.ok(ofClient !== null && ofClient.seconds > 45, ofClient?.timer ?? 'no timer');
    client.setKeepAlive(false);
    test.equal(keepAliveOf(localPort), null);
    peer.setKeepAlive(false);
    test.equal(keepAliveOf(port), null);
    await close();
  },
);

/** A network of its own with one end of a cable in it; null where none can be made. */
function network(): { name: string; host: string; cut: () => void; remove: () => void } | null {
  const name = `iocpnet${process.pid}`;
  const host = `10.213.${process.pid % 250}.1`;
  const inside = host.replace(/1$/, '2');
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'ignore' });
  const remove = (): void => {
    for (const args of [
      ['netns', 'del', name],
      ['link', 'del', `${name}a`],
    ])
      canRun('ip', args);
  };
  try {
    ip('netns', 'add', name);
    ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`);
    ip('link', 'set', `${name}b`, 'netns', name);
    ip('addr', 'add', `${host}/24`, 'dev', `${name}a`);
    ip('link', 'set', `${name}a`, 'up');
    ip('-n', name, 'addr', 'add', `${inside}/24`, 'dev', `${name}b`);
    ip('-n', name, 'link', 'set', `${name}b`, 'up');
  } catch {
    remove();
    return null;
  }
  return { name, host, remove, cut: () => ip('-n', name, 'link', 'set', `${name}b`, 'down') };
}

const cable = process.platform === 'linux' && isCore ? network() : null;
t.teardown(() => cable?.remove());

t.test(
  'a peer that vanishes is missed',
  { skip: cable === null && 'needs ip netns' },
  async (test) => {
    if (cable === null) return;
    const options = { keepAlive: true, keepAliveInitialDelay: 1000, keepAliveCount: 2 };
    const server = net.createServer({ ...options, keepAliveInterval: 1000 });
    server.listen(0, cable.host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connect = `require('net').connect(${port}, '${cable.host}').on('error', () => {})`;
    const child = spawn('ip', ['netns', 'exec', cable.name, process.execPath, '-e', connect]);
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    cable.cut();
    const cut = performance.now();
    const [error] = (await once(socket.resume(), 'error')) as [NodeJS.ErrnoException];
    const seconds = (performance.now() - cut) / 1000;
    test.match(error.code, /^(ETIMEDOUT|EHOSTUNREACH)$/);
    test.ok(seconds > 1.5 && seconds < 8, `noticed after ${seconds.toFixed(1)} s`);
    child.kill('SIGKILL');
    await closed(socket);
    await closeServer(server);
  },
);
