/** A server without descriptors left: who is let in, who is turned away, and that it goes on. */
import t from 'tap';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as nodeNet from 'node:net';
import { entryFile } from '../support/child';
import { closed, closing, delay, quiet } from '../support/sockets';

const DESCRIPTORS = 64;
const CLIENTS = 120;

const server = (module: string): string => `
  const server = require(${JSON.stringify(module)}).createServer((peer) => {
    peer.on('error', () => {}).resume().write('hello');
  });
  server.on('error', (error) => process.send(error.code));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));`;

interface Report {
  letIn: number;
  turnedAway: number;
  waiting: number;
  errors: unknown[];
  servedLater: boolean;
}

type Fate = 'waits' | 'let in' | 'turned away';

/** A client, and what has become of it so far. */
function client(port: number): { socket: nodeNet.Socket; fate: () => Fate } {
  let fate: Fate = 'waits';
  const socket = quiet(nodeNet.connect(port, '127.0.0.1'));
  void closing(socket);
  socket.once('data', () => (fate = 'let in'));
  socket.once('close', () => (fate = fate === 'waits' ? 'turned away' : fate));
  return { socket, fate: () => fate };
}

async function crowd(module: string): Promise<Report> {
  const limited = `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', limited, process.execPath, '-e', server(module)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const errors: unknown[] = [];
    const [port] = (await once(child, 'message')) as [number];
    child.on('message', (message) => errors.push(message));
    const clients = Array.from({ length: CLIENTS }, () => client(port));
    const count = (fate: Fate): number => clients.filter((each) => each.fate() === fate).length;
    for (let looks = 0; looks < 200 && count('waits') > 0; looks++) await delay(20);
    const report = {
      letIn: count('let in'),
      turnedAway: count('turned away'),
      waiting: count('waits'),
      errors,
      servedLater: false,
    };
    await Promise.all(
      clients.filter(({ socket }) => !socket.closed).map((each) => closed(each.socket)),
    );
    await delay(300);
    const late = client(port);
    await Promise.race([once(late.socket, 'data'), closing(late.socket), delay(3000)]);
    report.servedLater = late.fate() === 'let in';
    await closed(late.socket);
    return report;
  } finally {
    child.kill('SIGKILL');
  }
}

t.test(
  'out of descriptors, a server turns clients away and serves again later',
  { skip: process.platform === 'win32' ? 'a process of Windows has no such limit' : false },
  async (test) => {
    for (const module of ['node:net', entryFile('net')]) {
      const { letIn, turnedAway, waiting, errors, servedLater } = await crowd(module);
      const counts = `${module}: ${letIn} let in, ${turnedAway} turned away, ${waiting} waiting`;
      test.ok(letIn > DESCRIPTORS / 3 && letIn < DESCRIPTORS, counts);
      test.equal(letIn + turnedAway, CLIENTS, counts);
      test.strictSame(errors, [], 'the program has no part in it');
      test.ok(servedLater, `${module} serves again`);
    }
  },
);
