/** 'close' of sockets that do not keep the process alive: closing does, as with libuv. */
import t from 'tap';
import { load, run } from '../support/child';

const program = (socket: string): string => `
  ${load('net')}
  const server = net.createServer((accepted) => accepted.resume().unref());
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1', () => {
      server.unref();
      ${socket}.unref();
      setTimeout(() => {
        ${socket}.on('close', () => console.log('closed'));
        ${socket}.destroy();
      }, 50);
    });
  });`;

t.test('an unreferenced socket that is destroyed says close', async (test) => {
  const { code, stdout, stderr } = await run(program('client'));
  test.strictSame([code, stdout.trim(), stderr], [0, 'closed', '']);
});

t.test('an unreferenced server that is closed says so', async (test) => {
  const { code, stdout, stderr } = await run(`
    ${load('net')}
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      server.unref();
      server.close(() => console.log('closed'));
    });`);
  test.strictSame([code, stdout.trim(), stderr], [0, 'closed', '']);
});
