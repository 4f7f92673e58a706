/** Files for tests, and sockets of each kind that can send them. */
import type { Test } from 'tap';
import { once } from 'node:events';
import * as fs from 'node:fs';
import type * as nodeNet from 'node:net';
import * as realNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import * as net from 'iocp-net';
import { certificate } from './certificate';
import { localPair, localPath } from './local';
import { closed, closeServer, closing, connectedPair, listen, pattern } from './sockets';

let made = 0;

/** A file of these bytes, gone at the end of the test. */
export function temporaryFile(test: Pick<Test, 'teardown'>, bytes: Uint8Array): string {
  const path = join(tmpdir(), `iocp-net-file-${process.pid}-${++made}`);
  fs.writeFileSync(path, bytes);
  test.teardown(() => fs.rmSync(path, { force: true }));
  return path;
}

export interface SparseFile {
  path: string;
  /** What is there, from the first to the last byte. */
  read: (start: number, end: number) => Buffer;
}

/**
 * A large file with dashes at its start and other bytes at its end; on Windows with zeros there, for
 * writing would fill all that lies before.
 */
export function sparseFile(test: Pick<Test, 'teardown'>, size: number): SparseFile {
  const length = 400_000;
  const path = temporaryFile(test, Buffer.alloc(length, '-'));
  fs.truncateSync(path, size);
  const file = fs.openSync(path, 'r+');
  test.teardown(() => fs.closeSync(file));
  if (process.platform !== 'win32') {
    fs.writeSync(file, pattern(length), 0, length, size - length);
  }
  const read: SparseFile['read'] = (start, end) => {
    const found = Buffer.alloc(end - start + 1);
    fs.readSync(file, found, 0, found.length, start);
    return found;
  };
  return { path, read };
}

export interface Ends {
  /** Sends. */
  from: nodeNet.Socket;
  to: nodeNet.Socket;
  close: () => Promise<void>;
}

async function tcp(): Promise<Ends> {
  const { client, peer, close } = await connectedPair(net);
  return { from: peer, to: client, close };
}

async function local(): Promise<Ends> {
  const { client, peer, close } = await localPair(net, localPath());
  return { from: peer, to: client, close };
}

async function ofNode(): Promise<Ends> {
  const { client, peer, close } = await connectedPair(realNet);
  return { from: peer, to: client, close };
}

async function secure(): Promise<Ends> {
  const server = tls.createServer(certificate);
  const port = await listen(server);
  const accepted = once(server, 'secureConnection');
  const to = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const [from] = (await accepted) as [tls.TLSSocket];
  for (const socket of [from, to]) void closing(socket);
  const close = async (): Promise<void> => {
    await Promise.all([closed(from), closed(to), closeServer(server)]);
  };
  return { from, to, close };
}

/** How the sockets are made, by their kind. */
export const kinds: Record<string, () => Promise<Ends>> = { tcp, local, ofNode, secure };
