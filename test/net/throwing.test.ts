/** What listeners and callbacks throw, where a handler for 'uncaughtException' goes on. */
import t from 'tap';
import { load, run } from '../support/child';

t.test('a listener that throws at what had waited for resume() loses nothing', async (test) => {
  const { code, stdout } = await run(`
    ${load('net')}
    const total = 4 << 20;
    let thrown = 0;
    process.on('uncaughtException', () => thrown++);
    const server = net.createServer((socket) => {
      let reads = 0;
      socket.on('data', () => {
        // At the first two, which wait in the stream, throwing would stop the stream itself.
        if (++reads > 2 && reads < 10) throw new Error('in a listener');
      });
      socket.on('end', () => {
        console.log(socket.bytesRead === total, thrown);
        server.close();
      });
      socket.pause();
      setTimeout(() => socket.resume(), 100);
    });
    server.listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1').end(Buffer.alloc(total)).resume();
    });`);
  test.strictSame([code, stdout.trim()], [0, 'true 7']);
});

t.test("a write's callback that throws costs no other callback, and no 'close'", async (test) => {
  const { code, stdout } = await run(`
    ${load('net')}
    process.on('uncaughtException', ({ message }) => console.log(message));
    const server = net.createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1', () => {
        client.write(Buffer.alloc(64 << 20), () => {
          throw new Error('in a callback');
        });
        // Past the stream, as native code has several under way.
        client._write(Buffer.alloc(64 << 20), 'buffer', () => console.log('second'));
        setTimeout(() => client.destroy(), 50);
      });
      client.on('close', () => {
        console.log('close');
        process.exit();
      });
    });`);
  test.strictSame([code, stdout], [0, 'in a callback\nsecond\nclose\n']);
});

t.test('a listener that throws at the end does not keep the process', async (test) => {
  const { code, stdout } = await run(
    `
    ${load('net')}
    process.on('uncaughtException', ({ message }) => console.log(message));
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('readable', () => {
        if (socket.read() === null) throw new Error('at the end');
      });
    });
    server.listen(0, '127.0.0.1', () => {
      server.unref();
      const { port } = server.address();
      const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
        client.end('x');
        client.unref();
      });
    });`,
    5000,
  );
  test.strictSame([code, stdout], [0, 'at the end\n']);
});

t.test("a connection is turned away although a 'drop' listener throws", async (test) => {
  const { code, stdout } = await run(`
    ${load('net')}
    process.on('uncaughtException', ({ message }) => console.log(message));
    const server = net.createServer();
    server.maxConnections = 1;
    server.on('drop', () => {
      throw new Error('in a listener');
    });
    server.listen(0, '127.0.0.1', () => {
      const first = net.connect(server.address().port, '127.0.0.1');
      server.once('connection', () => {
        const second = net.connect(server.address().port, '127.0.0.1').resume();
        second.on('end', () => {
          console.log('turned away');
          process.exit();
        });
      });
    });`);
  test.strictSame([code, stdout], [0, 'in a listener\nturned away\n']);
});
