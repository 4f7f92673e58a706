import t from 'tap';
import { once } from 'node:events';
import * as net from 'iocp-net';
import { sameAsNode } from '../support/compare';
import { closing, closeServer, connectedPair, listen, pattern, readAll } from '../support/sockets';

sameAsNode(t, 'events of an echo and a polite end', async ({ net: module, watch, log }) => {
  const server = module.createServer((socket) => {
    watch('accepted', socket, ['end', 'finish', 'close']);
    socket.pipe(socket);
  });
  const port = await listen(server);
  const client = module.connect({ port, host: '127.0.0.1' });
  watch('client', client, ['lookup', 'connect', 'ready', 'end', 'finish', 'close', 'error']);
  log('connecting', client.connecting, client.pending, client.readyState);
  await once(client, 'connect');
  log('connected', client.connecting, client.pending, client.readyState);
  client.end('hello');
  void closing(client);
  const text = String(await readAll(client));
  await closing(client);
  log('closed', client.readyState, client.bytesRead, client.bytesWritten, client.destroyed);
  await closeServer(server);
  return text;
});

t.test('every byte comes back, at any size and encoding', async (test) => {
  const { client, peer, close } = await connectedPair(net, { server: { allowHalfOpen: true } });
  peer.pipe(peer);
  const received = readAll(client);
  const sent: Buffer[] = [];
  const send = (data: Buffer | string, encoding: BufferEncoding = 'utf8'): void => {
    sent.push(typeof data === 'string' ? Buffer.from(data, encoding) : data);
    if (typeof data === 'string') client.write(data, encoding);
    else client.write(data);
  };
  for (const size of [1, 2, 1000, 4096, 65536, 65537, 1 << 20]) send(pattern(size));
  send('plain');
  send('näïve ☃ 😀');
  send('\xff\x00\xfe', 'latin1');
  send('deadbeef', 'hex');
  send('aGVsbG8=', 'base64');
  send('wide', 'utf16le');
  client.cork();
  send('corked ');
  send(pattern(3000));
  send('ünd mehr', 'latin1');
  client.uncork();
  client.end();
  const expected = Buffer.concat(sent);
  test.ok((await received).equals(expected), `${expected.length} bytes in order`);
  test.equal(client.bytesWritten, expected.length);
  test.equal(client.bytesRead, expected.length);
  await close();
});

t.test('bytesWritten counts what is written before there is a connection', async (test) => {
  const server = net.createServer((socket) => socket.resume());
  const port = await listen(server);
  const client = net.connect(port, '127.0.0.1');
  client.write('é');
  client.write('abc');
  test.equal(client.bytesWritten, 5);
  client.end();
  await closing(client);
  test.equal(client.bytesWritten, 5);
  await closeServer(server);
});

t.test('many connections at once, each with its own bytes', async (test) => {
  const server = net.createServer((socket) => socket.pipe(socket));
  const port = await listen(server);
  const echo = async (number: number): Promise<boolean> => {
    const client = net.connect(port, '127.0.0.1');
    const bytes = Buffer.alloc(2000 + number, number);
    client.end(bytes);
    return (await readAll(client)).equals(bytes);
  };
  const results = await Promise.all(Array.from({ length: 200 }, (_, number) => echo(number)));
  test.ok(results.every(Boolean));
  await closeServer(server);
});

t.test('await once(socket, "data") in a loop misses no chunk of a burst', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  const total = 200_000;
  let sent = 0;
  const burst = (): void => {
    for (let each = 0; each < 20 && sent < total; each++) {
      client.write(pattern(total).subarray(sent, sent + 1000));
      sent += 1000;
    }
    if (sent < total) setImmediate(burst);
  };
  const bytes: Buffer[] = [];
  let length = 0;
  burst();
  while (length < total) {
    const [chunk] = (await once(peer, 'data')) as [Buffer];
    bytes.push(chunk);
    length += chunk.length;
  }
  test.ok(Buffer.concat(bytes).equals(pattern(total)));
  await close();
});

t.test('setEncoding puts characters together that arrive in pieces', async (test) => {
  const { client, peer, close } = await connectedPair(net);
  peer.setEncoding('utf8');
  const bytes = Buffer.from('☃☃');
  const text: string[] = [];
  peer.on('data', (chunk: string) => text.push(chunk));
  client.write(bytes.subarray(0, 2));
  setTimeout(() => client.end(bytes.subarray(2)), 20);
  await once(peer, 'end');
  test.equal(text.join(''), '☃☃');
  await close();
});
