/** The answer to one request for a file. */
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sendFile as sendToSocket } from '../../net/promises';
import { precondition, rangeOf, validatorsOf, type Range } from './conditions';
import { contentType } from './content-type';
import type { Found, ServedFolder } from './folder';
import { LISTING_POLICY, listingPage } from './listing';

export interface ServeOptions {
  readonly folder: ServedFolder;
  /** The file that stands for its folder. */
  readonly index: string;
  readonly listsFolders: boolean;
}

const NO_GUESSES = { 'X-Content-Type-Options': 'nosniff' };

function sayOnly(response: ServerResponse, status: number, text: string, headers = {}): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    ...NO_GUESSES,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  // Node leaves it out where the method is HEAD.
  response.end(body);
}

const notFound = (response: ServerResponse): void => sayOnly(response, 404, 'not found');

/**
 * That of an answer behind others comes with its turn; null where the client has gone before, of
 * which only the connection tells.
 */
async function socketOf(response: ServerResponse): Promise<Socket | null> {
  const connection = response.req.socket;
  if (response.socket === null && !connection.destroyed) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        connection.off('close', done);
        resolve();
      };
      connection.setMaxListeners(0); // as many answers may wait
      connection.once('close', done);
      response.once('socket', done);
    });
  }
  return response.socket;
}

async function send(handle: FileHandle, range: Range, response: ServerResponse): Promise<void> {
  response.flushHeaders();
  const socket = await socketOf(response);
  if (socket === null) return;
  try {
    await sendToSocket(socket, handle, { start: range.first, end: range.last });
  } catch (error) {
    // The client has gone, or the file is shorter than it was said to be: only the end of the
    // connection tells.
    const isShort = (error as NodeJS.ErrnoException).code === 'ERR_IOCP_NET_FILE_ENDED';
    if (!socket.destroyed && !isShort) throw error;
    response.destroy();
    return;
  }
  response.end();
}

async function sendFile(
  handle: FileHandle,
  path: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await handle.stat({ bigint: true });
  const file = validatorsOf(found);
  const size = Number(found.size);
  const always: OutgoingHttpHeaders = {
    ...NO_GUESSES,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-cache',
    ETag: file.etag,
    'Last-Modified': new Date(file.modifiedMs).toUTCString(),
  };
  const state = precondition(headers, file);
  if (state === 'failed') return sayOnly(response, 412, 'it has changed', always);
  if (state === 'not modified') return void response.writeHead(304, always).end();
  const range = method === 'GET' ? rangeOf(headers, file, size) : 'whole';
  if (range === 'unsatisfiable') {
    const past = { ...always, 'Content-Range': `bytes */${size}` };
    return sayOnly(response, 416, 'it is not that long', past);
  }
  const part = range === 'whole' ? { first: 0, last: size - 1 } : range;
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...always,
    'Content-Type': contentType(path),
    'Content-Length': part.last - part.first + 1,
    ...(range === 'whole' ? {} : { 'Content-Range': `bytes ${part.first}-${part.last}/${size}` }),
  });
  if (method === 'HEAD' || size === 0) return void response.end();
  await send(handle, part, response);
}

async function respondFile(
  found: Found,
  folder: ServedFolder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const handle = await folder.openFile(found);
  if (handle === null) return notFound(response);
  try {
    await sendFile(handle, found.path, request, response);
  } finally {
    await handle.close();
  }
}

async function respondFolder(
  names: readonly string[],
  found: Found,
  { folder, index, listsFolders }: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const page = await folder.find([...names, index]);
  if (page?.kind === 'file') return respondFile(page, folder, request, response);
  if (!listsFolders) return notFound(response);
  const body = listingPage(names, await folder.list(names, found));
  response.writeHead(200, {
    ...NO_GUESSES,
    'Content-Security-Policy': LISTING_POLICY,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** Never rejects for what a client does. */
export async function respond(
  options: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sayOnly(response, 405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
  }
  const [pathname = '', query] = (request.url ?? '').split(/\?(.*)/s);
  // Anything but a path, such as an absolute URL, is for proxies.
  const names = pathname.startsWith('/') ? options.folder.namesOf(pathname) : null;
  const found = names === null ? null : await options.folder.find(names);
  if (names === null || found === null) return notFound(response);
  const isFolder = found.kind === 'folder';
  if (isFolder !== pathname.endsWith('/')) {
    if (!isFolder) return notFound(response);
    // Written anew, so that a path with two slashes leads to no other host.
    const path = names.map((name) => `/${encodeURIComponent(name)}`).join('');
    const location = `${path}/${query === undefined ? '' : `?${query}`}`;
    return sayOnly(response, 301, 'it is a folder', { Location: location });
  }
  if (isFolder) return respondFolder(names, found, options, request, response);
  return respondFile(found, options.folder, request, response);
}
