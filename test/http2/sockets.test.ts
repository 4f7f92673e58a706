import t from 'tap';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as net from 'iocp-net';
import { closeServer, listen, pattern } from '../support/sockets';

/** A cleartext server and a session to it, both on sockets of ours. */
async function pair(onStream: (stream: http2.ServerHttp2Stream) => void) {
  const sessions = http2.createServer();
  sessions.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.respond();
    onStream(stream);
  });
  const server = net.createServer((socket) => sessions.emit('connection', socket));
  const port = await listen(server);
  const session = http2.connect('http://127.0.0.1', {
    createConnection: () => net.connect(port, '127.0.0.1'),
  });
  const close = async (): Promise<void> => {
    session.close();
    await once(session, 'close');
    await closeServer(server);
  };
  return { session, server, close };
}

async function echo(session: http2.ClientHttp2Session, bytes: Buffer): Promise<Buffer> {
  const stream = session.request({ ':method': 'POST' });
  stream.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

t.test('many streams over one connection', async (test) => {
  const { session, close } = await pair((stream) => stream.pipe(stream));
  const bodies = Array.from({ length: 40 }, (_, i) => pattern(i * 1000));
  const answers = await Promise.all(bodies.map((body) => echo(session, body)));
  test.ok(answers.every((answer, i) => answer.equals(bodies[i] as Buffer)));
  await close();
});

t.test('a body larger than the flow-control window', async (test) => {
  const { session, close } = await pair((stream) => stream.pipe(stream));
  const bytes = pattern(3 << 20);
  test.ok((await echo(session, bytes)).equals(bytes));
  await close();
});

t.test('the peer goes away', async (test) => {
  const { session, server } = await pair((stream) => stream.session?.destroy());
  const stream = session.request();
  stream.on('error', () => {});
  session.on('error', () => {});
  await once(session, 'close');
  test.ok(stream.destroyed);
  await closeServer(server);
});

t.test('a session that is destroyed says so', async (test) => {
  const { session, server } = await pair((stream) => {
    stream.on('error', () => {});
    stream.session?.on('error', () => {});
    stream.write('x');
    stream.session?.destroy();
  });
  session.on('error', () => {});
  const stream = session.request();
  stream.on('error', () => {});
  const said = once(session, 'goaway').then(() => true);
  const closed = once(session, 'close').then(() => false);
  test.ok(await Promise.race([said, closed]));
  session.destroy();
  await closeServer(server);
});
