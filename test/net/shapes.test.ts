/**
 * What programs hold in their hands must not be a hash table to V8: `http` alone asks its server for
 * ten members with every request, and reading one took ten times as long.
 */
import t from 'tap';
import { load, run } from '../support/child';

const program = `
  ${load('net')} ${load('http')}
  const names = [];
  const look = (name, object) => { if (!%HasFastProperties(object)) names.push(name); };
  const server = net.createServer((socket) => {
    look('accepted socket', socket);
    socket.end('answer');
  });
  server.listen(0, '127.0.0.1', () => {
    look('server', server);
    const client = net.connect(server.address().port, '127.0.0.1', () => look('client', client));
    client.resume();
    client.on('close', () => server.close(serveHttp));
  });
  function serveHttp() {
    const server = http.createServer((request, response) => {
      look('http server', server);
      look('socket of a request', request.socket);
      look('its handle', request.socket._handle);
      response.end('answer');
    });
    server.listen(0, '127.0.0.1', () => {
      const port = server.address().port;
      http.get({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.resume();
        response.on('end', () => server.close(() => console.log(JSON.stringify(names))));
      });
    });
  }`;

t.test('servers and sockets are no hash tables', async (test) => {
  const { code, stdout, stderr } = await run(program, 15_000, {
    execArgv: ['--allow-natives-syntax'],
  });
  test.strictSame([code, stdout.trim(), stderr], [0, '[]', '']);
});
