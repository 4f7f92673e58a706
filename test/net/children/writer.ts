/**
 * Writes to its parent (test/support/write-peer.ts), and then has no time for its event loop: it
 * computes, waits or ends. WRITER_CASE says which of the cases below; what it tells is its output.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type * as nodeHttp from 'node:http';
import type * as nodeNet from 'node:net';
import { env, exit } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/* eslint-disable @typescript-eslint/no-require-imports -- which module is known only here */
const net = require(env['WRITER_NET'] ?? '') as typeof nodeNet;
const http = require(env['WRITER_HTTP'] ?? '') as typeof nodeHttp;
/* eslint-enable @typescript-eslint/no-require-imports */
const port = Number(env['WRITER_PORT']);
const file = env['WRITER_FILE'] ?? '';

/** What the parent counts. */
const mark = '#';
/** How long the event loop is away when nothing comes of it. */
const patience = 1000;

/** How many marks the parent has by now. */
const received = (): number => Number(readFileSync(file, 'latin1'));

/** Computes until the parent has so many marks; for how many milliseconds, or without end. */
function computeUntil(marks: number): number {
  const begin = performance.now();
  while (received() < marks) if (performance.now() - begin > patience) return Infinity;
  return performance.now() - begin;
}

function computeFor(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const arrivesMeanwhile = (marks: number): boolean => computeUntil(marks) < Infinity;

function tell(what: unknown): void {
  console.log(JSON.stringify(what));
}

async function open(): Promise<nodeNet.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The parent answers a question mark with an `r`. */
async function openAndAsk(): Promise<nodeNet.Socket> {
  const socket = await open();
  socket.write('?');
  return socket;
}

/** Runs what writes and is away where programs do so. */
const places: Record<string, (body: (socket: nodeNet.Socket) => void) => Promise<void>> = {
  async data(body) {
    const socket = await openAndAsk();
    socket.once('data', () => body(socket));
  },
  /** Where the answers to others follow in the same turn. */
  async crowd(body) {
    const sockets = await Promise.all(Array.from({ length: 5 }, open));
    let asked = 0;
    for (const socket of sockets) {
      socket.on('data', () => {
        if (asked++ === 0) body(socket);
        else socket.write(mark);
      });
      socket.write('?');
    }
    // All requests have come when the event loop is back.
    computeFor(100);
  },
  async connect(body) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => body(socket));
  },
  async timer(body) {
    const socket = await open();
    setTimeout(() => body(socket), 20);
  },
  async immediate(body) {
    const socket = await open();
    setImmediate(() => body(socket));
  },
  async promise(body) {
    const socket = await open();
    await sleep(20);
    body(socket);
  },
};

/** How many writes are the last. */
let lastWrites = 10;

const lastWords = (socket: nodeNet.Socket): void => {
  for (let each = 0; each < lastWrites; each++) socket.write(mark.repeat(1000));
};

/** Ways to end of which the event loop hears nothing any more. */
const endings: Record<string, (socket: nodeNet.Socket) => void> = {
  SIGKILL: (socket) => {
    lastWords(socket);
    process.kill(process.pid, 'SIGKILL');
    computeUntil(Infinity);
  },
  SIGTERM: (socket) => {
    process.removeAllListeners('SIGTERM'); // a test runner's
    lastWords(socket);
    process.kill(process.pid, 'SIGTERM');
    computeUntil(Infinity);
  },
  abort: (socket) => {
    lastWords(socket);
    process.abort();
  },
  exit: (socket) => {
    lastWords(socket);
    exit(7);
  },
  reallyExit: (socket) => {
    lastWords(socket);
    (process as unknown as { reallyExit: (code: number) => void }).reallyExit(8);
  },
  throw: (socket) => {
    lastWords(socket);
    throw new Error('on purpose');
  },
  exitListener: (socket) => {
    process.once('exit', () => lastWords(socket));
    exit(9);
  },
};

const parentHas = `
  const { readFileSync } = require('node:fs');
  const end = Date.now() + 2000;
  while (Date.now() < end) if (Number(readFileSync(process.argv[1], 'latin1')) >= process.argv[2]) process.exit(0);
  process.exit(1);`;

/** Whether a program that is waited for sees the marks at the parent. */
function programSees(marks: number): boolean {
  try {
    execFileSync(process.execPath, ['-e', parentHas, file, String(marks)]);
    return true;
  } catch {
    return false;
  }
}

/** Ten answers at most: the last request's listener is away. */
async function pipelined(): Promise<void> {
  let requests = 0;
  const server = http.createServer((_request, response) => {
    if (++requests < 10) return void response.end(mark);
    computeUntil(9);
    tell(received());
    exit();
  });
  const socket = await open();
  socket.write('!'); // the parent sends ten requests at once
  server.emit('connection', socket);
}

/** Twenty connections get a request each, all there at once; the last listener is away. */
async function manyConnections(): Promise<void> {
  const count = 20;
  const sockets = await Promise.all(Array.from({ length: count }, open));
  let asked = 0;
  for (const socket of sockets) {
    socket.on('data', () => {
      socket.write(mark);
      if (++asked < count) return;
      tell(arrivesMeanwhile(count));
      exit();
    });
    socket.write('?');
  }
  // All requests have come when the event loop is back.
  computeFor(200);
}

async function waitingWorker(): Promise<void> {
  if (isMainThread) {
    const woken = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(__filename, { workerData: woken });
    worker.once('message', (how) => {
      tell(how);
      exit();
    });
    setInterval(() => received() >= 3 && Atomics.notify(woken, 0), 5);
    return;
  }
  const socket = await openAndAsk();
  socket.once('data', () => {
    for (let each = 0; each < 3; each++) socket.write(mark);
    parentPort?.postMessage(Atomics.wait(workerData as Int32Array, 0, 0, 2 * patience));
  });
}

/** As sinon and jest do. Everything that Node offers to come back later is replaced. */
async function fakedTicks(): Promise<void> {
  const sockets = await Promise.all([open(), open(), open()]);
  const [single, several, corked] = sockets;
  await sleep(50);
  const realTimeout = setTimeout;
  const realInterval = setInterval;
  for (const name of ['setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] as const) {
    Object.assign(globalThis, { [name]: () => ({ ref() {}, unref() {} }) });
  }
  process.nextTick = () => {};
  single.write(mark);
  for (let each = 0; each < 8; each++) several.write(mark);
  corked.cork();
  for (let each = 0; each < 8; each++) corked.write(mark);
  corked.uncork();
  // The event loop itself turns.
  const report = (): void => {
    tell(received());
    exit();
  };
  realInterval(() => received() === 17 && report(), 5);
  realTimeout(report, patience);
}

/** What write() says while the parent reads: `count` writes of `size` bytes in one turn. */
const saidByWrite = async (count: number, size: number): Promise<void> => {
  const socket = await openAndAsk();
  socket.once('data', () => {
    const said = Array.from({ length: count }, () => socket.write(mark.repeat(size)));
    tell({
      trueFor: said.filter(Boolean).length,
      needDrain: socket.writableNeedDrain,
      waiting: socket.writableLength,
    });
    exit();
  });
};

/** This process and children of it write to one socket, each after the other. */
function sharedSocket(place = ''): Promise<void> | undefined {
  return places[place]?.(writeWithChildren);
}

function writeWithChildren(socket: nodeNet.Socket): void {
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const child = (text: string): void => {
    const program = `require('node:fs').writeSync(3, ${JSON.stringify(text)})`;
    spawnSync(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', fd] });
  };
  for (const [ours, theirs] of ['ab', 'cd', 'ef'].map((pair) => pair.split(''))) {
    socket.write(ours ?? '');
    child(theirs ?? '');
  }
  socket.end('g', () => exit());
}

const cases: Record<string, (...words: string[]) => unknown> = {
  latency: async () => {
    const socket = await openAndAsk();
    const times: number[] = [];
    socket.on('data', () => {
      socket.write(mark);
      times.push(computeUntil(times.length + 1));
      if (times.length < 9) return void socket.write('?');
      // The middle one: a single one may wait for the parent to get a processor.
      tell({ withinFifty: Number(times.sort((a, b) => a - b)[4]) < 50 });
      exit();
    });
  },
  each: async () => {
    const socket = await openAndAsk();
    socket.once('data', () => {
      const arrived = Array.from({ length: 10 }, (_, at) => {
        socket.write(mark);
        return arrivesMeanwhile(at + 1);
      });
      tell(arrived);
      exit();
    });
  },
  writes: (place = '', count = '', size = '') =>
    places[place]?.((socket) => {
      for (let each = 0; each < Number(count); each++) socket.write(mark.repeat(Number(size)));
      tell(arrivesMeanwhile(Number(count) * Number(size)));
      exit();
    }),
  corked: async () => {
    const socket = await openAndAsk();
    socket.once('data', () => {
      socket.cork();
      for (let each = 0; each < 10; each++) socket.write(mark);
      socket.uncork();
      tell(arrivesMeanwhile(10));
      exit();
    });
  },
  pipelined,
  manyConnections,
  waitingWorker,
  fakedTicks,
  said: (count, size) => saidByWrite(Number(count), Number(size)),
  sharedSocket,
  program: (place = '', count = '', size = '') =>
    places[place]?.((socket) => {
      for (let each = 0; each < Number(count); each++) socket.write(mark.repeat(Number(size)));
      tell(programSees(Number(count) * Number(size)));
      exit();
    }),
  ends: (place = '', how = '', count = '10') => {
    lastWrites = Number(count);
    return places[place]?.((socket) => endings[how]?.(socket));
  },
};

const [name = '', ...words] = (env['WRITER_CASE'] ?? '').split(' ');
void cases[name]?.(...words);
