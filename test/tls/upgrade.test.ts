/**
 * A connection that speaks in the clear first and then goes on with TLS: when each side begins with
 * it, what it has received by then, and what is still unsent. `node:net` says what is right.
 */
import t from 'tap';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import * as tls from 'node:tls';
import { certificate } from '../support/certificate';
import { sameAsNode } from '../support/compare';
import type { Net } from '../support/sockets';
import { closed, closeServer, delay, listen, pattern, quiet, receive } from '../support/sockets';

/** When a side begins with TLS, from the moment at which it knows that it is to. */
const moments: Record<string, () => Promise<unknown> | null> = {
  'at once': () => null,
  'in the next tick': () => new Promise((resolve) => process.nextTick(resolve, undefined)),
  'in an immediate': () => setImmediate(),
  'after 20 ms': () => delay(20),
};

type Begin = (typeof moments)[string];

/** How the client asks for TLS. */
const requests = {
  /** It waits for the answer. What was sent in the clear counts among the socket's bytes. */
  'asks and waits': { waits: true, lead: `${'.'.repeat(1 << 20)}\n` },
  /** Its first record comes in the same breath: the server has it, in part or whole. */
  'asks and begins': { waits: false, lead: 'begin\n' },
  /** What it has written before is not sent yet. */
  'begins behind 8 MiB': { waits: false, lead: `${'.'.repeat(8 << 20)}\n` },
};

type Request = (typeof requests)[keyof typeof requests];

/** Takes the line in the clear; what came behind it stays to be read. */
async function takeLine(socket: Socket): Promise<number> {
  let length = 0;
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      await once(socket, 'readable');
      continue;
    }
    const end = chunk.indexOf('\n');
    if (end < 0) {
      length += chunk.length;
      continue;
    }
    if (end + 1 < chunk.length) socket.unshift(chunk.subarray(end + 1));
    return length + end + 1;
  }
}

async function serve(socket: Socket, { waits }: Request, begin: Begin): Promise<void> {
  await takeLine(quiet(socket));
  if (waits) socket.write('yes\n');
  const moment = begin();
  if (moment !== null) await moment;
  const secure = quiet(new tls.TLSSocket(socket, { isServer: true, ...certificate }));
  secure.pipe(secure);
}

async function ask(socket: Socket, { waits, lead }: Request, begin: Begin): Promise<unknown[]> {
  socket.write(lead);
  if (waits) await takeLine(socket);
  const moment = begin();
  if (moment !== null) await moment;
  const secure = quiet(tls.connect({ socket, rejectUnauthorized: false }));
  await once(secure, 'secureConnect');
  const sent = pattern(200_000);
  const received = receive(secure, sent.length);
  secure.write(sent);
  const isSame = (await received).equals(sent);
  const isCounted = [socket.bytesRead, socket.bytesWritten].map((count) => count > sent.length);
  secure.end();
  await closed(secure);
  return [isSame, ...isCounted, socket.bytesWritten > lead.length + sent.length];
}

async function upgrade(net: Net, request: Request, here: Begin, there: Begin): Promise<unknown> {
  const server = net.createServer((socket) => void serve(socket, request, there));
  const socket = quiet(net.connect(await listen(server), '127.0.0.1'));
  await once(socket, 'connect');
  const result = await ask(socket, request, here);
  await closeServer(server);
  return result;
}

for (const [what, request] of Object.entries(requests)) {
  for (const [when, there] of Object.entries(moments)) {
    for (const [whenHere, here] of Object.entries(moments)) {
      const name = `the client ${what}, ${whenHere}; the server goes on ${when}`;
      sameAsNode(t, name, ({ net }) => upgrade(net, request, here, there));
    }
  }
}
