/** The ways in which a program reads from a socket. */
import type * as net from 'node:net';
import { PassThrough } from 'node:stream';

export const READ_MODES = ['flowing', 'paused', 'readable', 'iterator', 'echo', 'onread'] as const;
export type ReadMode = (typeof READ_MODES)[number];

export interface Reader {
  took(bytes: Uint8Array): void;
  /** What was received is written to the socket itself. */
  echoed(bytes: Uint8Array): void;
  /** The loop over the socket is over; that destroys it. */
  iterated(): void;
}

async function iterate(socket: net.Socket, reader: Reader): Promise<void> {
  try {
    for await (const chunk of socket) reader.took(chunk as Buffer);
  } catch {
    // The socket's 'error' says so, too.
  }
  reader.iterated();
}

/** Begins to read. `onread` was given to the socket when it was made. */
export function read(socket: net.Socket, mode: ReadMode, reader: Reader): void {
  const took = (chunk: string | Buffer): void => reader.took(chunk as Buffer);
  switch (mode) {
    case 'flowing':
      socket.on('data', took);
      return;
    case 'paused':
      socket.pause();
      socket.on('data', took);
      return;
    case 'readable':
      socket.on('readable', () => {
        for (;;) {
          const chunk = socket.read() as Buffer | null;
          if (chunk === null) return;
          reader.took(chunk);
        }
      });
      return;
    case 'iterator':
      void iterate(socket, reader);
      return;
    case 'echo': {
      const through = new PassThrough();
      through.on('data', (chunk: Buffer) => reader.echoed(chunk));
      socket.on('data', took);
      socket.pipe(through).pipe(socket);
      return;
    }
    case 'onread':
      return;
  }
}

/** For the constructor of a socket. `took` says whether there is to be more. */
export function onread(took: (bytes: Uint8Array) => boolean): net.OnReadOpts {
  return {
    buffer: Buffer.alloc(1000),
    callback: (length, buffer) => took(buffer.subarray(0, length)),
  };
}
