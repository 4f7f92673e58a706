/**
 * The clients of a soak, on node:net: some stay and talk, some stay and are silent, and others come
 * and go in every way there is. Whatever comes back is compared.
 */
import { Agent, request } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { once } from 'node:events';
import { answer } from '../child';
import { Random } from '../random';
import { eventOrClose, pause } from '../sockets';
import { bytesAt, firstWrongByte } from '../stream-bytes';

export interface SoakLoad {
  /** The echo server's port, on every loopback address. */
  echo: number;
  http: number;
  path: string;
  seed: number;
  /** How many of each kind; a comer is followed by another when it has gone. */
  talkers: number;
  idlers: number;
  comers: number;
  browsers: number;
}

export interface SoakCounts {
  connections: number;
  messages: number;
  requests: number;
  bytes: number;
  faults: string[];
}

const LARGEST_MESSAGE = 64 * 1024;
const MOST_FAULTS = 20;
/** The system keeps the addresses of a connection for a while: one address alone has 28,000 pairs. */
const ADDRESSES = 200;

const counts: SoakCounts = { connections: 0, messages: 0, requests: 0, bytes: 0, faults: [] };
let stopping = false;
const staying: Socket[] = [];
const working: Promise<void>[] = [];

function fault(what: string): void {
  if (counts.faults.length < MOST_FAULTS) counts.faults.push(what);
}

async function open(options: NetConnectOpts): Promise<Socket> {
  const socket = connect(options);
  socket.on('error', (error) => fault(error.message));
  await once(socket, 'connect');
  counts.connections++;
  return socket;
}

/** Sends a message, and compares what comes back; resolves when all of it has. */
async function exchange(socket: Socket, random: Random): Promise<void> {
  const start = random.integer(0, 1_000_000);
  const length = random.magnitude(1, LARGEST_MESSAGE);
  let received = 0;
  const whole = new Promise<void>((resolve) => {
    const take = (chunk: Buffer): void => {
      if (firstWrongByte(start, received, chunk) >= 0) fault('a wrong byte came back');
      received += chunk.length;
      if (received >= length) done();
    };
    const done = (): void => {
      socket.off('data', take);
      socket.off('close', done);
      resolve();
    };
    socket.on('data', take);
    socket.on('close', done);
  });
  socket.write(bytesAt(start, 0, length));
  await whole;
  if (received !== length) fault(`${received} of ${length} bytes came back`);
  counts.messages++;
  counts.bytes += received;
}

async function talk(options: NetConnectOpts, random: Random): Promise<void> {
  const socket = await open(options);
  staying.push(socket);
  while (!stopping) {
    await exchange(socket, random);
    // A pause now and then, so that timers and idle turns have their share.
    if (random.chance(0.02)) await pause(random.integer(1, 50));
  }
}

type Leave = (socket: Socket, random: Random) => Promise<void>;

/** How a connection can end, and how often each way is taken. */
const LEAVES: readonly (readonly [Leave, number])[] = [
  [
    async (socket) => {
      socket.end();
      await eventOrClose(socket, 'close');
    },
    6,
  ],
  [
    async (socket, random) => {
      socket.end(bytesAt(0, 0, random.magnitude(1, LARGEST_MESSAGE)));
      socket.resume();
      await eventOrClose(socket, 'close');
    },
    2,
  ],
  [
    async (socket, random) => {
      socket.write(bytesAt(0, 0, random.magnitude(1, LARGEST_MESSAGE)));
      socket.destroy();
      await eventOrClose(socket, 'close');
    },
    1,
  ],
  [
    async (socket) => {
      socket.resetAndDestroy();
      await eventOrClose(socket, 'close');
    },
    1,
  ],
];

async function comeAndGo(port: number, random: Random): Promise<void> {
  while (!stopping) {
    const host = `127.0.0.${random.integer(1, ADDRESSES)}`;
    const socket = await open({ port, host, noDelay: true });
    if (random.chance(0.9)) await exchange(socket, random);
    await random.pick(LEAVES)(socket, random);
  }
}

function post(port: number, agent: Agent, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', agent, method: 'POST', path: '/' };
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

async function browse(port: number, random: Random): Promise<void> {
  let agent = new Agent({ keepAlive: true });
  while (!stopping) {
    const body = bytesAt(random.integer(0, 1_000_000), 0, random.magnitude(1, LARGEST_MESSAGE));
    const answered = await post(port, agent, body);
    if (Buffer.compare(answered, body) !== 0) fault('a wrong answer came back');
    counts.requests++;
    counts.bytes += answered.length;
    if (!random.chance(0.01)) continue;
    agent.destroy();
    agent = new Agent({ keepAlive: true });
  }
  agent.destroy();
}

async function begin({ echo, http, path, seed, ...load }: SoakLoad): Promise<void> {
  const several = (count: number, work: (random: Random, i: number) => Promise<void>): void => {
    for (let i = 0; i < count; i++) {
      const random = new Random(seed, working.length);
      working.push(work(random, i).catch((error: unknown) => fault(String(error))));
    }
  };
  for (let i = 0; i < load.idlers; i++) {
    staying.push(await open({ port: echo, host: '127.0.0.1' }));
  }
  several(load.talkers, (random, i) =>
    talk(i % 4 === 0 ? { path } : { port: echo, host: '127.0.0.1' }, random),
  );
  several(load.comers, (random) => comeAndGo(echo, random));
  several(load.browsers, (random) => browse(http, random));
}

answer({
  begin,
  counts: (): SoakCounts => counts,
  async end(): Promise<SoakCounts> {
    stopping = true;
    await Promise.all(working);
    for (const socket of staying) socket.end();
    return counts;
  },
});
