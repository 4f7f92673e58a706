// A user's program: it knows nothing of iocp-net, answers one request of its own, and ends.
import http from 'node:http';

const server = http.createServer((request, response) => response.end('hello\n'));
server.listen(0, '127.0.0.1', async () => {
  const response = await fetch(`http://127.0.0.1:${server.address().port}`);
  process.stdout.write(await response.text());
  server.close();
});
