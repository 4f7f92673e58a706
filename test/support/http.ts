/** HTTP for tests: a server, requests over node:http, and raw requests over a socket. */
import { once } from 'node:events';
import * as nodeHttp from 'node:http';
import type { AddressInfo } from 'node:net';
import * as nodeNet from 'node:net';
import * as http from 'iocp-net/http';

export interface Site {
  server: nodeHttp.Server;
  port: number;
  close: () => Promise<void>;
}

export async function serve(
  listener: nodeHttp.RequestListener,
  options: nodeHttp.ServerOptions = {},
): Promise<Site> {
  const server = http.createServer(options, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const over = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await over;
  };
  return { server, port, close };
}

export interface Answer {
  status: number | undefined;
  headers: nodeHttp.IncomingHttpHeaders;
  body: Buffer;
}

export async function readBody(message: nodeHttp.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** One request by Node's client. */
export async function request(
  port: number,
  options: nodeHttp.RequestOptions = {},
  body?: Buffer | string,
): Promise<Answer> {
  const asked = nodeHttp.request({ port, host: '127.0.0.1', ...options });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [nodeHttp.IncomingMessage];
  return {
    status: response.statusCode,
    headers: response.headers,
    body: await readBody(response),
  };
}

/** Sends text as it is, and collects what comes until the server ends the connection. */
export async function raw(port: number, ...texts: string[]): Promise<string> {
  const socket = nodeNet.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  for (const text of texts) socket.write(text, 'latin1');
  socket.setEncoding('latin1');
  let answer = '';
  for await (const chunk of socket) answer += chunk as string;
  socket.destroy();
  return answer;
}

/** A GET request as text. */
export const get = (path: string, ...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: test', ...headers, '', ''].join('\r\n');
