/** In which order frames leave that are made in one tick: what the peer does depends on it. */
import t from 'tap';
import { certificate } from '../support/certificate';
import { entryFile, run } from '../support/child';

/**
 * The client writes a body in five chunks, the server answers at once. Over TLS, too, the answer
 * must not overtake the body.
 */
const program = (isSecure: boolean): string => `
const http2 = require('node:http2');
const options = ${JSON.stringify(isSecure ? certificate : {})};
const server = http2.${isSecure ? 'createSecureServer' : 'createServer'}(options);
const log = [];
server.on('stream', (stream) => {
  stream.on('data', (chunk) => log.push('server has ' + chunk));
  stream.respond();
  stream.end('answer');
});
server.listen(0, '127.0.0.1', () => {
  const url = '${isSecure ? 'https' : 'http'}://127.0.0.1:' + server.address().port;
  const client = http2.connect(url, { rejectUnauthorized: false });
  client.on('connect', async () => {
    const stream = client.request({ ':method': 'POST' });
    stream.on('response', () => log.push('client has the headers'));
    stream.on('end', () => log.push('client has the answer')).resume();
    stream.on('close', () => {
      console.log(log.join('\\n'));
      client.close();
      server.close();
    });
    for await (const chunk of ['h', 'e', 'l', 'l', 'o']) stream.write(chunk);
    stream.end();
  });
});`;

const registered = { execArgv: ['--require', entryFile('register')] };

for (const isSecure of [false, true]) {
  t.test(isSecure ? 'over TLS' : 'in clear', async (test) => {
    const expected = await run(program(isSecure));
    const actual = await run(program(isSecure), undefined, registered);
    test.strictSame(actual, expected);
    test.match(actual.stdout, 'client has the answer');
  });
}
