/** A client that was unreferenced before it was connected does not keep the process. */
import t from 'tap';
import { load, run } from '../support/child';

t.test('session.unref() before it is connected', async (test) => {
  const { code, signal } = await run(`${load('register')}
    const http2 = require('node:http2');
    const server = http2.createServer();
    server.on('session', (session) => session.unref());
    server.listen(0, '127.0.0.1', () => {
      http2.connect('http://127.0.0.1:' + server.address().port).unref();
      server.unref();
    });`);
  test.strictSame([code, signal], [0, null]);
});
