// A file as the response of an HTTP server: with ranges and HEAD, and its body sent by the system
// itself where the connection is plain TCP on the core. file-server.mjs, express-files.mjs and
// fastify-files.mjs use it.
import { stat } from 'node:fs/promises';
import { sendFile } from 'iocp-net/promises';

/** First and last byte; null for a range that the file has not. */
function rangeOf(header, size) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || first + last === '') return { start: 0, end: size - 1 };
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : null;
}

/**
 * Until a response that waits behind another one has its turn on their connection. It never comes
 * where the client goes first, and of that only the connection tells.
 */
function turnOf(response) {
  const connection = response.req.socket;
  if (response.socket !== null || connection.destroyed) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      connection.off('close', done);
      resolve();
    };
    connection.setMaxListeners(0); // as many responses may wait
    connection.once('close', done);
    response.once('socket', done);
  });
}

/** The file behind the head, in the response's turn. Does not reject for what a client does. */
async function sendBody(response, path, range) {
  response.flushHeaders();
  await turnOf(response);
  if (response.socket === null) return;
  try {
    await sendFile(response.socket, path, range);
    response.end(); // the next response has its turn
  } catch {
    // The client has gone, or the file is shorter than the head says: only the end of the connection
    // can tell.
    response.destroy();
  }
}

/**
 * Answers with the file, or a range of it; other headers are set before. Rejects, with nothing sent,
 * where there is no such file.
 */
export async function respondWithFile(request, response, path) {
  const found = await stat(path);
  if (!found.isFile()) throw Object.assign(new Error(`${path} is no file`), { code: 'ENOENT' });
  const { size } = found;
  const range = rangeOf(request.headers.range, size);
  if (range === null && size > 0) {
    const headers = { 'Content-Length': 0, 'Content-Range': `bytes */${size}` };
    return response.writeHead(416, headers).end();
  }
  const { start, end } = range ?? { start: 0, end: -1 };
  const isPart = end - start + 1 < size;
  response.writeHead(isPart ? 206 : 200, {
    'Accept-Ranges': 'bytes',
    // Without it the body would have to be chunked, which a file is not.
    'Content-Length': end - start + 1,
    ...(isPart && { 'Content-Range': `bytes ${start}-${end}/${size}` }),
  });
  // A body after the head of HEAD would be taken for the next response.
  if (request.method === 'HEAD' || size === 0) return response.end();
  return sendBody(response, path, { start, end });
}
