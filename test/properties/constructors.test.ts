/** What `Socket`, `Server` and `createServer` make of their options. */
import type * as nodeNet from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { closing, quiet } from '../support/sockets';
import type { Net } from '../support/sockets';
import { holdsForBoth, outcome } from './check';
import { anyNumber, anyObject, anyValue, mostly, someOf } from './values';

const flag = mostly(true, false, undefined);

/** No descriptor that might be open. */
const closedDescriptor = fc.oneof(
  anyNumber.filter((number) => number < 0 || number > 100_000 || !Number.isInteger(number)),
  anyObject,
  fc.constantFrom<unknown>('', 'x', '1', null, undefined, Symbol('s'), 1n),
);

const streamOptions = {
  allowHalfOpen: flag,
  noDelay: flag,
  keepAlive: flag,
  keepAliveInitialDelay: mostly(0, 1000, undefined),
  highWaterMark: mostly(0, 1024, undefined, null),
  objectMode: mostly(false, undefined),
};

const socketOptions = someOf({
  ...streamOptions,
  readable: flag,
  writable: flag,
  readableHighWaterMark: mostly(0, 10, undefined),
  writableHighWaterMark: mostly(0, 10, undefined),
  readableObjectMode: mostly(false, undefined),
  writableObjectMode: mostly(false, undefined),
  decodeStrings: flag,
  defaultEncoding: mostly('utf8', 'latin1', undefined),
  encoding: mostly('utf8', 'latin1', undefined),
  emitClose: flag,
  autoDestroy: flag,
  manualStart: flag,
  pauseOnCreate: flag,
  typeOfService: mostly(0, 16, 255, undefined),
  fd: closedDescriptor,
  handle: mostly(null, undefined).filter((value) => !(value instanceof Object)),
  onread: fc.oneof(
    anyValue,
    someOf({
      buffer: fc.oneof(
        anyValue,
        fc.constantFrom<unknown>(Buffer.alloc(4), new Uint8Array(4), new Uint16Array(4)),
        fc.constantFrom<unknown>(
          () => Buffer.alloc(4),
          () => 5,
        ),
      ),
      callback: anyValue,
    }),
  ),
  // An aborted one destroys a socket that a later option may forbid: nobody has it to listen to it.
  signal: mostly(new AbortController().signal, undefined),
});

const stateOfSocket = (socket: nodeNet.Socket): unknown => [
  [socket.allowHalfOpen, socket.pending, socket.connecting, socket.readyState, socket.destroyed],
  [socket.readable, socket.readableFlowing, socket.readableHighWaterMark, socket.readableEncoding],
  [socket.writable, socket.writableHighWaterMark, socket.writableObjectMode, socket.timeout],
  [socket.bytesRead, socket.bytesWritten, socket.bufferSize, socket.address()],
];

const ways = {
  new: (net: Net, options: unknown) => new net.Socket(options as never),
  call: (net: Net, options: unknown) =>
    (net.Socket as unknown as (given: unknown) => unknown)(options),
  class: (net: Net, options: unknown) => new (class extends net.Socket {})(options as never),
};

/** Options whose members throw are Node's business and ours before the socket is whole. */
holdsForBoth(
  t,
  'the options of a socket',
  fc.tuple(
    fc.constantFrom('new', 'call', 'class' as const),
    fc.oneof(
      { weight: 4, arbitrary: socketOptions },
      anyValue.filter((value) => typeof value !== 'number'),
    ),
  ),
  async ({ net, log, watch }, [way, options]) => {
    let socket: nodeNet.Socket | undefined;
    log(
      outcome(() => {
        socket = ways[way](net, options) as nodeNet.Socket;
        return stateOfSocket(socket);
      }),
    );
    if (socket === undefined) return;
    watch('socket', quiet(socket), ['error', 'end', 'close']);
    const over = closing(socket);
    socket.destroy();
    if ((options as { emitClose?: unknown } | null)?.emitClose !== false) await over;
    log(stateOfSocket(socket));
  },
  // What is no number was converted before Node's constructor could refuse it.
  [['new', { keepAliveInitialDelay: Symbol.iterator }]],
);

holdsForBoth(
  t,
  'the options of a server',
  fc.tuple(
    fc.constantFrom('createServer', 'new', 'call' as const),
    fc.oneof(
      {
        weight: 3,
        arbitrary: someOf({ ...streamOptions, pauseOnConnect: flag, blockList: anyValue }),
      },
      anyValue,
    ),
    mostly<unknown>(undefined, () => {}),
  ),
  async ({ net, log }, [way, options, listener]) => {
    const make = {
      createServer: net.createServer,
      new: (...args: unknown[]) => new net.Server(...(args as [])),
      call: net.Server as unknown,
    }[way as 'new'] as (...args: unknown[]) => nodeNet.Server & Record<string, unknown>;
    log(
      outcome(() => {
        const server = make(options, listener);
        return [
          [server.allowHalfOpen, server.pauseOnConnect, server.noDelay, server.keepAlive],
          [server.keepAliveInitialDelay, server.highWaterMark, server.blockList],
          [server.listening, server.address(), server.maxConnections],
          [server.listenerCount('connection'), Object.keys(server).sort()],
        ];
      }),
    );
  },
);
