// Runs inside an empty project in which only the tarball of iocp-net is installed: serves, connects
// and says who did it. Plain JavaScript, because there is no compiler there. Prints TAP.
//
//   node serve-and-connect.mjs [BACKEND]     which has to be the one that serves; node: by a fallback
import { createRequire } from 'node:module';
import { once } from 'node:events';
import net, { createServer } from 'iocp-net';
import { engine } from 'iocp-net/engine';
import http from 'iocp-net/http';

let count = 0;
function check(condition, name) {
  console.log(`${condition ? 'ok' : 'not ok'} ${++count} - ${name}`);
  if (!condition) process.exitCode = 1;
}

const warnings = [];
process.on('warning', ({ code, message }) => {
  if (code?.startsWith('IOCP_NET')) warnings.push(message);
});

const expected = process.argv[2] ?? (process.platform === 'win32' ? 'iocp' : 'epoll');
check(engine.backend === expected, `backend is ${engine.backend}`);
check(createRequire(import.meta.url)('iocp-net') === net, 'require and import share one instance');

const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const client = net.connect(echo.address().port, '127.0.0.1');
client.end('over the tarball');
let reply = '';
for await (const chunk of client) reply += chunk;
check(reply === 'over the tarball', 'echo');
echo.close();
await once(echo, 'close');

const web = http.createServer((request, response) => response.end(request.url));
web.listen(0, '127.0.0.1');
await once(web, 'listening');
const request = http.get(`http://127.0.0.1:${web.address().port}/hello`, { agent: false });
const [response] = await once(request, 'response');
let body = '';
for await (const chunk of response) body += chunk;
check(body === '/hello', 'HTTP');
web.close();
const accepted = engine.stats().operations.accept?.completed ?? 0;
const isFallback = expected === 'node';
check(isFallback ? accepted === 0 : accepted >= 2, `${accepted} accepted by the core`);
const told = warnings.map((each) => `: ${each}`).join('');
check(warnings.length === (isFallback ? 1 : 0), `${warnings.length} warnings${told}`);
console.log(`1..${count}`);
