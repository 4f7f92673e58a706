import t from 'tap';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { load, run } from '../support/child';
import { closing, closeServer, listen } from '../support/sockets';

const listening = `${load('net')}
const server = net.createServer((socket) => { socket.on('error', () => {}); socket.resume(); });
`;

t.test('nothing is left when all is closed: the process ends', async (test) => {
  const { code, stdout, stderr } = await run(`${listening}
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1', () => client.end('x'));
      client.resume();
      client.on('close', () => server.close(() => console.log('closed')));
    });`);
  test.strictSame([code, stdout.trim(), stderr], [0, 'closed', '']);
});

t.test('an unreferenced server does not keep the process', async (test) => {
  for (const when of [
    "server.unref(); server.listen(0, '127.0.0.1');",
    "server.listen(0, '127.0.0.1', () => server.unref());",
  ]) {
    const { code, signal } = await run(`${listening} ${when}`);
    test.strictSame([code, signal], [0, null]);
  }
});

t.test('a referenced server does', async (test) => {
  const { signal } = await run(
    `${listening} server.unref(); server.listen(0, '127.0.0.1', () => server.ref());`,
    1500,
  );
  test.equal(signal, 'SIGKILL');
});

t.test('unreferenced sockets do not keep the process', async (test) => {
  const { code, signal, stdout } = await run(`${listening}
    server.on('connection', (socket) => socket.unref());
    server.listen(0, '127.0.0.1', () => {
      server.unref();
      const client = net.connect(server.address().port, '127.0.0.1');
      client.unref();
      const timer = setTimeout(() => console.log(client.readyState), 200);
    });`);
  test.strictSame([code, signal, stdout.trim()], [0, null, 'open']);
});

t.test('unreferenced sockets are served while something else keeps the process', async (test) => {
  const { stdout } = await run(
    `
    ${load('net')}
    const total = 32 << 20;
    const server = net.createServer((socket) => {
      socket.unref();
      socket.on('data', () => {
        if (socket.bytesRead === total) clearTimeout(held);
      });
    });
    const held = setTimeout(() => console.log('stands still'), 5000);
    server.listen(0, '127.0.0.1', () => {
      server.unref();
      net.connect(server.address().port, '127.0.0.1').unref().write(Buffer.alloc(total));
    });
  `,
  );
  test.equal(stdout, '');
});

t.test('a connected socket keeps the process', async (test) => {
  const { signal } = await run(
    `${listening}
    server.listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1');
      server.unref();
    });`,
    1500,
  );
  test.equal(signal, 'SIGKILL');
});

t.test('a listener that throws reaches uncaughtException, others lose nothing', async (test) => {
  const { code, stdout, stderr } = await run(`${listening}
    const clients = 20, rounds = 20;
    let thrown = 0, received = 0;
    process.on('uncaughtException', (error) => {
      if (error.message !== 'on purpose') throw error;
      thrown++;
    });
    server.on('connection', (socket) => {
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received === clients * rounds * 100) {
          console.log(thrown > 0, received);
          process.exit(0);
        }
        throw new Error('on purpose');
      });
    });
    server.listen(0, '127.0.0.1', () => {
      for (let each = 0; each < clients; each++) {
        const client = net.connect(server.address().port, '127.0.0.1', async () => {
          for (let round = 0; round < rounds; round++) {
            client.write(Buffer.alloc(100));
            await new Promise(setImmediate);
          }
        });
      }
    });`);
  test.strictSame([code, stdout.trim(), stderr], [0, 'true 40000', '']);
});

t.test('without a handler the process ends with the error', async (test) => {
  const { code, stderr } = await run(`${listening}
    server.on('connection', () => { throw new Error('nobody handles this'); });
    server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1'));`);
  test.equal(code, 1);
  test.match(stderr, /nobody handles this/);
});

t.test('process.exit() with writes pending and inside a listener', async (test) => {
  const { code, signal } = await run(`${listening}
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1', () => {
        for (let each = 0; each < 100; each++) client.write(Buffer.alloc(100_000));
      });
      server.on('connection', (socket) => socket.on('data', () => process.exit(7)));
    });`);
  test.strictSame([code, signal], [7, null]);
});

t.test('what was written before process.exit() in the same tick is sent', async (test) => {
  const server = net.createServer();
  const port = await listen(server);
  let text = '';
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => (text += String(chunk)));
  });
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const ended = run(`${load('net')}
    const client = net.connect(${port}, '127.0.0.1', () => { client.write('last words'); process.exit(3); });`);
  const [socket] = await accepted;
  void closing(socket);
  const { code } = await ended;
  await closing(socket);
  test.strictSame([code, text], [3, 'last words']);
  await closeServer(server);
});

// What node:net has as a handle, it sends.
const nodeServes = process.env['IOCP_NET_BACKEND'] === 'node' ? { skip: 'node:net can' } : {};

// Such a channel cannot be found, so it does not know us.
const unknownChannel = `
  const program = 'process.on("message", () => {})';
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  const child = require('node:child_process').spawn(process.execPath, ['-e', program], { stdio });
  child.unref();
  child.channel.unref();
`;

t.test('over a channel that does not know us a server is refused', nodeServes, async (test) => {
  const { code, signal, stdout } = await run(`
    ${unknownChannel}
    ${load('net')}
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      try {
        child.send('take this', server);
      } catch (error) {
        console.log(error.name, error.code);
      }
      child.kill();
      server.close();
    });
  `);
  test.equal(stdout, 'TypeError ERR_INVALID_HANDLE_TYPE\n');
  test.strictSame([code, signal], [0, null]);
});

// As with a socket that is closed already.
t.test(
  'over a channel that does not know us the message goes without its socket',
  nodeServes,
  async (test) => {
    const { code, signal, stdout } = await run(`
    ${unknownChannel}
    ${load('net')}
    const server = net.createServer((socket) => {
      console.log(child.send('take this', socket));
      child.kill();
      socket.destroy();
      server.close();
    });
    server.listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1').on('error', () => {});
    });
  `);
    test.strictSame([code, signal, stdout], [0, null, 'true\n']);
  },
);

t.test('connections of which nothing is awaited do not keep the process', async (test) => {
  const client = `const client = net.connect(server.address().port, '127.0.0.1');`;
  const cases: Record<string, string> = {
    paused: `server.on('connection', (socket) => socket.unref());
      server.listen(0, '127.0.0.1', () => { ${client} client.pause(); server.unref(); });`,
    'ended, its bytes unread': `server.removeAllListeners('connection');
      server.on('connection', (socket) => socket.end('unread'));
      server.listen(0, '127.0.0.1', () => { ${client} client.end('unread'); server.unref(); });`,
  };
  for (const [name, program] of Object.entries(cases)) {
    const { code, signal } = await run(`${listening} ${program}`, 5000);
    test.strictSame([code, signal], [0, null], name);
  }
});
