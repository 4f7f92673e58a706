// An echo server, and what the engine counts as Prometheus reads it, on a port of its own.
//
//   PORT=7000 METRICS_PORT=9400 HOST=127.0.0.1 node examples/prometheus.mjs
//   curl http://127.0.0.1:9400/metrics
import net from 'iocp-net'; // was: 'node:net'
import { engine } from 'iocp-net/engine';
import http from 'iocp-net/http'; // was: 'node:http'

const { PORT = '7000', METRICS_PORT = '9400', HOST = '127.0.0.1' } = process.env;

// Prometheus wants base units, so times are seconds, and the unit in the name.
const metrics = [
  ['received_bytes_total', 'Bytes handed to JavaScript.', 'bytesReceived'],
  ['sent_bytes_total', 'Bytes that the system took.', 'bytesSent'],
  ['sent_directly_bytes_total', 'Bytes of these that write() sent itself.', 'directBytesSent'],
  ['direct_sends_total', 'Sends that write() made itself.', 'directSends'],
  ['batches_total', "Returns of the system's queue that brought something.", 'batches'],
  ['packets_total', 'What these returns brought.', 'packets'],
  ['os_calls_total', 'System calls for data, without direct sends.', 'osCalls'],
  ['port_wakeups_total', 'Wake-ups of whoever waits in the queue.', 'portWakeups'],
  ['consumer_wakeups_total', 'Wake-ups of JavaScript by a thread.', 'consumerWakeups'],
  ['sockets_open', 'Sockets that are open, lingering ones included.', 'socketsOpen'],
  ['listeners_open', 'Listeners that are open.', 'listenersOpen'],
  ['datagram_sockets_open', 'Datagram sockets that are open.', 'datagramSocketsOpen'],
  ['chunks_in_use', 'Receive chunks with the system or JavaScript.', 'chunksInUse'],
  ['chunks', 'Receive chunks that there are.', 'chunksTotal'],
  ['chunks_trimmed_total', 'Chunks whose memory went back to the system.', 'chunksTrimmed'],
  ['receives_starved_total', 'Receives that waited for a chunk.', 'receivesStarved'],
  ['datagrams_received_total', 'Datagrams taken from the system.', 'datagramsReceived'],
  ['datagrams_sent_total', 'Datagrams that the system took.', 'datagramsSent'],
  ['large_receives_total', 'Receives into chunks of 64 KiB.', 'largeReceives'],
  ['pinned_receives_total', "Receives into the program's own memory.", 'pinnedReceives'],
  ['waited_seconds_total', 'Time that the event loop waited in the port.', 'waitedNs'],
  ['helper_turns_total', 'Times that the helper has driven.', 'helperTurns'],
  ['helper_seconds_total', 'Time that the helper drove.', 'helperNs'],
  ['helper_looks_total', 'Times the helper looked whether it is needed.', 'helperLooks'],
  ['work_found_total', "Rounds that found work of the helper's.", 'workFound'],
];

/** One metric: its two comments, and a line for each `[labels, value]`. */
function metric(name, help, samples) {
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `iocp_net_${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
  });
  return [`# HELP iocp_net_${name} ${help}`, `# TYPE iocp_net_${name} ${type}`, ...lines];
}

const inBaseUnit = (name, value) => (name.endsWith('_seconds_total') ? value / 1e9 : value);

function exposition() {
  const stats = engine.stats();
  const lines = metrics.flatMap(([name, help, counter]) =>
    metric(
      name,
      help,
      stats.ports.map((port, i) => [{ port: i }, inBaseUnit(name, port[counter])]),
    ),
  );
  const drops = Object.entries(stats.drops).map(([reason, count]) => [{ reason }, count]);
  const operations = Object.entries(stats.operations).flatMap(([operation, counts]) =>
    Object.entries(counts).map(([state, count]) => [{ operation, state }, count]),
  );
  lines.push(
    ...metric('drops_total', 'Connections that limits have dropped.', drops),
    ...metric('operations_total', 'Operations, by kind.', operations),
    ...metric('info', 'What serves.', [[{ backend: engine.backend }, 1]]),
  );
  return `${lines.join('\n')}\n`;
}

const echo = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});

const metricsServer = http.createServer((request, response) => {
  const isFound = request.url === '/metrics';
  response.writeHead(isFound ? 200 : 404, { 'Content-Type': 'text/plain; version=0.0.4' });
  response.end(isFound ? exposition() : '');
});

metricsServer.listen(Number(METRICS_PORT), HOST, () => {
  const { port } = metricsServer.address();
  console.log(`The metrics are at http://${HOST}:${port}/metrics`);
});
echo.listen(Number(PORT), HOST, () => {
  console.log(`The echo server listens on ${HOST}:${echo.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit());
