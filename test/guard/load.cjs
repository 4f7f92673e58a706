// The loads whose cost is counted, both ends in this process, in lockstep so that a slow machine
// does the same work:
//
//   node load.cjs [--echo N] [--http N] [--warm N] [--report]
//
// Echo: 64 connections send 64 bytes each, the server sends them back, all are awaited. HTTP: 64
// keep-alive connections send one request each. Without N only the warm-up runs. With --report it
// prints what it counted, as JSON; run it with a heap so large that nothing is collected.
'use strict';

const { parseArgs } = require('node:util');
const { PerformanceObserver } = require('node:perf_hooks');
const net = require('../../dist/entry/net.cjs');
const http = require('../../dist/entry/http.cjs');
const { engine } = require('../../dist/entry/engine.cjs');

const CONNECTIONS = 64;
const message = Buffer.alloc(64, 'm');
const request = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');

const { values } = parseArgs({
  options: {
    echo: { type: 'string', default: '0' },
    http: { type: 'string', default: '0' },
    warm: { type: 'string', default: '2000' },
    report: { type: 'boolean', default: false },
  },
});

function echoServer() {
  return net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
  });
}

function httpServer() {
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 13 });
    response.end('Hello, World!');
  });
  server.keepAliveTimeout = 60_000;
  return server;
}

const listening = (server) =>
  new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

const connected = (port) =>
  new Promise((done, failed) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true }, () => done(socket));
    socket.once('error', failed);
  });

/** Whole rounds until so many are back. `ends` says where an answer ends. */
async function lockstep(server, bytes, isWhole) {
  const port = await listening(server);
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => connected(port)));
  let left = 0;
  let rounds = 0;
  let finish;
  const playRound = () => {
    left = CONNECTIONS;
    for (const socket of sockets) socket.write(bytes);
  };
  for (const socket of sockets) {
    socket.received = 0;
    socket.on('data', (chunk) => {
      socket.received += chunk.length;
      if (!isWhole(socket, chunk)) return;
      socket.received = 0;
      left -= 1;
      if (left > 0) return;
      rounds -= 1;
      if (rounds > 0) playRound();
      else finish();
    });
  }
  return (count) => {
    rounds = Math.ceil(count / CONNECTIONS);
    const played = rounds * CONNECTIONS;
    if (rounds === 0) return 0;
    return new Promise((done) => {
      finish = () => done(played);
      playRound();
    });
  };
}

let collections = 0;
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({
  entryTypes: ['gc'],
});

/** What the load cost, per message: bytes of the heap, of buffers, and our counters. */
/** All that were made; those of direct sends are counted apart. */
const callsOf = ({ osCalls, directSends }) => osCalls + directSends;

async function counted(play, count) {
  const before = { stats: engine.stats(), memory: process.memoryUsage() };
  const played = await play(count);
  const memory = process.memoryUsage();
  const stats = engine.stats();
  const per = (value) => value / Math.max(played, 1);
  return {
    messages: played,
    heapBytes: per(memory.heapUsed - before.memory.heapUsed),
    bufferBytes: per(memory.arrayBuffers - before.memory.arrayBuffers),
    calls: per(callsOf(stats) - callsOf(before.stats)),
    consumerWakeups: per(stats.consumerWakeups - before.stats.consumerWakeups),
  };
}

async function main() {
  const warm = Number(values.warm);
  const plays = {
    echo: await lockstep(echoServer(), message, ({ received }) => received === message.length),
    http: await lockstep(httpServer(), request, (_socket, chunk) =>
      chunk.toString('latin1').endsWith('World!'),
    ),
  };
  if (engine.backend === 'node') throw new Error('there is no core here to count');
  const results = {};
  for (const name of ['echo', 'http']) await plays[name](warm);
  for (const name of ['echo', 'http']) {
    const count = Number(values[name]);
    if (count > 0) results[name] = await counted(plays[name], count);
  }
  await new Promise((done) => setImmediate(done)); // the observer's turn
  if (values.report) console.log(JSON.stringify({ ...results, collections }));
  process.exit();
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
