'use strict';

// Loaded after iocp-net/register in every process of a suite, its children and workers too: says at
// its end, in the file that IOCP_NET_SUITE_WITNESS names, what the core did there.

const { appendFileSync } = require('fs');
const { engine } = require('../../dist/entry/engine.cjs');

const file = process.env.IOCP_NET_SUITE_WITNESS;

process.on('exit', () => {
  const { ports, operations, bytesReceived, bytesSent } = engine.stats();
  if (ports.length === 0) return; // and asking for the backend would open one
  const { connect, accept } = operations;
  const connections = connect.completed + accept.completed;
  const seen = { backend: engine.backend, connections, bytes: bytesReceived + bytesSent };
  appendFileSync(file, `${JSON.stringify(seen)}\n`);
});
