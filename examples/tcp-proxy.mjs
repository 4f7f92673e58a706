// Passes TCP connections on to another server, in both directions.
//
//   PORT=7000 HOST=127.0.0.1 TARGET=127.0.0.1:8080 node examples/tcp-proxy.mjs
import net from 'iocp-net'; // was: 'node:net'

const { PORT = '7000', HOST = '127.0.0.1', TARGET = '127.0.0.1:8080' } = process.env;
const [, targetHost, targetPort] = /^(.*):(\d+)$/.exec(TARGET);

const connections = new Set();

/** What happens to the one happens to the other: the end of what it says, an error. */
function join(one, other) {
  one.pipe(other); // with backpressure, and end() at the end
  one.on('error', () => other.destroy());
  one.on('close', () => {
    connections.delete(one);
    if (one.errored || !one.readableEnded) other.destroy();
  });
  connections.add(one);
}

// Half-open, so that one side may end and still be answered.
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  const target = net.connect({ host: targetHost, port: Number(targetPort), allowHalfOpen: true });
  join(socket, target);
  join(target, socket);
});

server.listen(Number(PORT), HOST, () => {
  console.log(`The proxy to ${TARGET} listens on ${HOST}:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    for (const connection of connections) connection.destroy();
  });
}
