// Sending files: socket.sendFile() of iocp-net beside fs.createReadStream().pipe(socket) of node:net.
//
//   node bench/send-file.mjs [--rounds N] [--seconds S] [--size MIB]... [--cold] [--json FILE]
//
// Each arm sends files of one size, one after the other on one connection, to a reader in a process
// of its own that throws the bytes away. The files are in the system's cache or, with --cold, are
// dropped from it before each is sent: then what the disk gives is measured as well. A third
// arm is the first once more: what lies between these two is noise. CPU is the sender's alone.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../dist/cli/noise.js';

const MIB = 1 << 20;
const entry = join(import.meta.dirname, '../dist/entry/net.cjs');
/** With small files most of the time goes by in dropping them. */
const LONGEST_MS = 20_000;

const run = (command, ...args) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Takes a file out of the system's cache, as far as the system does what it is told. */
function drop(path) {
  run('dd', `of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0');
}

/** How much of it the cache has. */
const cachedBytes = (path) =>
  Number(String(run('fincore', '--bytes', '--noheadings', '--output', 'RES', path)));

/** Sends a file each time that it is called, in the way of the arm. */
function sender(how, socket, path) {
  if (how === 'sendFile') return () => socket.sendFile(path);
  return () => {
    const stream = fs.createReadStream(path);
    stream.pipe(socket, { end: false });
    return once(stream, 'end');
  };
}

/** A process that sends: says its cost for as many files as fit the time. */
async function send({ how, path, size, seconds, cold, port }) {
  const net = how === 'sendFile' ? createRequire(import.meta.url)(entry) : nodeNet;
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const one = sender(how, socket, path);
  // What is loaded once is no cost of a file. A large one would only warm the cache, which it has.
  if (size <= 64 * MIB) await one();
  const until = performance.now() + LONGEST_MS;
  const spent = { ms: 0, cpu: 0, bytes: 0 };
  do {
    if (cold) drop(path);
    const before = process.cpuUsage();
    const begun = performance.now();
    await one();
    spent.ms += performance.now() - begun;
    const { user, system } = process.cpuUsage(before);
    spent.cpu += (user + system) / 1e6;
    spent.bytes += size;
  } while (spent.ms < seconds * 1000 && performance.now() < until);
  process.send({ cpu: spent.cpu / (spent.bytes / 1e9), rate: spent.bytes / 1000 / spent.ms });
  socket.destroy();
}

/** A reader, the same for all arms. */
function read() {
  const server = nodeNet.createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

async function measure(task) {
  const child = fork(import.meta.filename, ['send', JSON.stringify(task)]);
  const [result] = await once(child, 'message');
  await once(child, 'exit');
  return result;
}

const ARMS = [
  ['node:net', 'pipe'],
  ['iocp-net', 'sendFile'],
  ['noise', 'pipe'],
];

function writeFile(path, size) {
  const piece = Buffer.alloc(Math.min(size, MIB), 'x');
  const file = fs.openSync(path, 'w');
  for (let written = 0; written < size; written += piece.length) fs.writeSync(file, piece);
  fs.fsyncSync(file); // what has to be written still would be in the way
  fs.closeSync(file);
}

/** MB/s at which the disk gives the file to a program that does nothing else with it. */
function diskRate(path, size) {
  drop(path);
  const left = cachedBytes(path);
  if (left > size / 100) throw new Error(`${left} bytes stay in the cache: ${tmpdir()} is no disk`);
  const memory = Buffer.alloc(MIB);
  const begun = performance.now();
  const file = fs.openSync(path);
  while (fs.readSync(file, memory, 0, MIB, null) > 0);
  fs.closeSync(file);
  return size / 1000 / (performance.now() - begun);
}

/** The rows of one size: the median of the rounds for each arm, each round with each in turn. */
async function measureSize({ mebibytes, path, rounds, seconds, cold, port }) {
  const size = mebibytes * MIB;
  const found = new Map(ARMS.map(([name]) => [name, []]));
  const disk = [];
  for (let round = 0; round < rounds; round++) {
    if (cold) disk.push(diskRate(path, size));
    for (const [name, how] of ARMS) {
      found.get(name).push(await measure({ how, path, size, seconds, cold, port }));
    }
  }
  const of = (name, what) => median(found.get(name).map((each) => each[what]));
  const rows = ARMS.map(([arm]) => {
    const [cpu, rate] = [of(arm, 'cpu'), of(arm, 'rate')];
    const cpuRatio = cpu / of('node:net', 'cpu');
    return { mebibytes, cold, arm, cpu, rate, cpuRatio, rateRatio: rate / of('node:net', 'rate') };
  });
  return cold ? [...rows, { mebibytes, cold, arm: 'disk', rate: median(disk) }] : rows;
}

function print({ mebibytes, cold, arm, cpu, rate, cpuRatio, rateRatio }) {
  const what = `${mebibytes} MiB${cold ? ', cold' : ''}  ${arm.padEnd(9)}`;
  if (arm === 'disk') return console.log(`${what} ${rate.toFixed(0)} MB/s`);
  console.log(
    `${what} ${cpu.toFixed(3)} CPU s/GB (${cpuRatio.toFixed(2)})` +
      `  ${rate.toFixed(0)} MB/s (${rateRatio.toFixed(2)})`,
  );
}

async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      size: { type: 'string', multiple: true, default: ['0.0625', '1', '64', '1024', '4096'] },
      cold: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { cold } = values;
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const child = fork(import.meta.filename, ['read']);
  const [port] = await once(child, 'message');
  const results = [];
  const folder = fs.mkdtempSync(join(tmpdir(), 'iocp-net-bench-'));
  try {
    for (const mebibytes of values.size.map(Number)) {
      const path = join(folder, `${mebibytes}`);
      writeFile(path, mebibytes * MIB);
      const rows = await measureSize({ mebibytes, path, rounds, seconds, cold, port });
      rows.forEach(print);
      results.push(...rows);
      fs.rmSync(path);
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
    child.kill();
  }
  if (values.json !== undefined) fs.writeFileSync(values.json, JSON.stringify(results, null, 2));
}

const [role, task] = process.argv.slice(2);
if (role === 'send') await send(JSON.parse(task));
else if (role === 'read') read();
else await main();
