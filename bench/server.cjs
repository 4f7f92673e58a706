// The server of one run, in a process of its own: node server.cjs KIND MODULES
//
// KIND is echo, sink, source, http or https. MODULES is JSON, see arms.mjs. What it says and is asked
// goes over the IPC channel, so that nothing but the load touches its sockets.
'use strict';

const modules = JSON.parse(process.argv[3]);
const net = require(modules.net);

/** What the load generator expects of every stream: byte i is i % 251. */
const PERIOD = 251;
const pattern = Buffer.alloc(261 * PERIOD).map((_, i) => i % PERIOD);
const longPattern = Buffer.alloc((1 << 20) + PERIOD, pattern);

const ignore = () => {};
const body = 'Hello, World!';

function hello(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
}

function isPattern(chunk, position) {
  const from = position % PERIOD;
  return longPattern.compare(chunk, 0, chunk.length, from, from + chunk.length) === 0;
}

const kinds = {
  echo() {
    function onData(chunk) {
      if (!this.write(chunk)) this.pause();
    }
    function onDrain() {
      this.resume();
    }
    return net.createServer({ noDelay: true }, (socket) => {
      socket.on('error', ignore).on('data', onData).on('drain', onDrain);
    });
  },

  /** Answers the end of a stream with how long it was. */
  sink() {
    return net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      let chunks = 0;
      let wrong = '';
      socket.on('error', ignore);
      socket.on('data', (chunk) => {
        // Every byte at first, then of each 32nd chunk: to look at all of them costs a tenth.
        const look = bytes < 1 << 20 || chunks % 32 === 0;
        if (look && !isPattern(chunk, bytes)) wrong ||= `wrong bytes after ${bytes}`;
        bytes += chunk.length;
        chunks += 1;
      });
      socket.on('end', () => socket.end(wrong || String(bytes)));
    });
  },

  source() {
    function fill() {
      while (!this.destroyed && this.write(pattern));
    }
    return net.createServer({ noDelay: true }, (socket) => {
      socket.on('error', ignore).on('drain', fill).resume();
      fill.call(socket);
    });
  },

  http() {
    if (modules.http) return require(modules.http).createServer(hello);
    // A module with net's API alone serves HTTP as the sockets below node:http.
    const http = require('node:http').createServer(hello);
    return net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      http.emit('connection', socket);
    });
  },

  async https() {
    const certificate = await makeCertificate();
    if (modules.https) return require(modules.https).createServer(certificate, hello);
    const https = require('node:https').createServer(certificate, hello);
    return net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      https.emit('connection', socket);
    });
  },
};

async function makeCertificate() {
  const { mkdtempSync, rmSync } = require('node:fs');
  const folder = mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'https-'));
  try {
    return (await import('../test/programs/certificate.mjs')).makeCertificate(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const engine = modules.engine ? require(modules.engine).engine : undefined;

/** Newer Nodes alone know what one thread has used. */
function usage() {
  const seconds = ({ user, system }) => (user + system) / 1e6;
  return {
    cpu: seconds(process.cpuUsage()),
    cpuMain: process.threadCpuUsage && seconds(process.threadCpuUsage()),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

async function start() {
  const server = await kinds[process.argv[2]]();
  server.keepAliveTimeout = 60_000;
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
    process.send({
      port: server.address().port,
      node: process.version,
      backend: engine?.backend,
    });
  });
}

void start();
process.on('message', (message) => {
  if (message === 'stats') process.send({ stats: engine?.stats() ?? null });
  if (message === 'usage') process.send(usage());
  // Not a signal: only a process that exits by itself writes its --cpu-prof.
  if (message === 'stop') process.exit();
});
process.on('disconnect', () => process.exit());
// No scenario takes that long, so nobody waits for this process any more.
setTimeout(() => process.exit(1), 600_000).unref();
