// A reverse proxy: server and client at once.
//
//   TARGET=http://127.0.0.1:8080
import { createServer, Agent } from 'node:http';
import httpProxy from 'http-proxy';

const { PORT = '8080', HOST = '127.0.0.1', TARGET } = process.env;

const agent = new Agent({ keepAlive: true, maxSockets: 100 });
const proxy = httpProxy.createProxyServer({ target: TARGET, agent, ws: true });

proxy.on('error', (error, request, response) => {
  if (response.writeHead && !response.headersSent) response.writeHead(502);
  response.end(error.code);
});

const server = createServer((request, response) => proxy.web(request, response));
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));

server.listen(Number(PORT), HOST, () => {
  console.log(`The proxy listens on http://${HOST}:${server.address().port}`);
});

process.once('SIGTERM', () => {
  server.close();
  agent.destroy();
});
