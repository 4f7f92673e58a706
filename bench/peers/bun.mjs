/* global Bun */
// Bun's own servers: bun bun.mjs echo|http
const body = 'Hello, World!';

/** What a socket did not take goes out when it says that it has room again. */
const echo = {
  open(socket) {
    socket.setNoDelay(true);
    socket.data = undefined;
  },
  data(socket, bytes) {
    if (socket.data) {
      socket.data = Buffer.concat([socket.data, bytes]);
      return;
    }
    const taken = socket.write(bytes);
    if (taken < bytes.length) socket.data = Buffer.from(bytes.subarray(Math.max(taken, 0)));
  },
  drain(socket) {
    if (!socket.data) return;
    const taken = socket.write(socket.data);
    socket.data = taken < socket.data.length ? socket.data.subarray(taken) : undefined;
  },
  error() {},
};

const hostname = '127.0.0.1';
const serve = {
  echo: () => Bun.listen({ hostname, port: 0, socket: echo }),
  http: () =>
    Bun.serve({
      hostname,
      port: 0,
      fetch: () => new Response(body, { headers: { 'Content-Type': 'text/plain' } }),
    }),
};

console.log(`port ${serve[process.argv[2]]().port}`);
// It ends with whoever started it, and nobody waits for it longer than that.
process.stdin.on('end', () => process.exit()).resume();
setTimeout(() => process.exit(1), 120_000).unref();
