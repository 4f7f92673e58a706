/**
 * `iocp-net/register`: puts our `net` in the place of Node's, for the whole process, so that all
 * that stands on `net` (`http`, `https`, `http2`, `tls`, packages) listens and connects on the core;
 * and our `dgram`.
 *
 *     node --import iocp-net/register app.js
 *
 * `IOCP_NET_REGISTER` narrows it to `server` (what listens) or `client` (what connects); `all` is
 * the default. Prints nothing; `NODE_DEBUG=iocp-net` says what was done.
 *
 * @packageDocumentation
 */
import { syncBuiltinESMExports } from 'node:module';
import { debug } from '../diagnostics/channels';
import { invalidValue } from '../invalid-value';
import * as ours from '../net/index';
import { connectTlsOnCore } from '../tls/client';
import { standLoadedOnOurs } from './loaded';
import type { Part } from './loaded';

const names: Record<Part, readonly string[]> = {
  server: ['Server', 'createServer'],
  client: ['Socket', 'Stream', 'connect', 'createConnection'],
};

const parts = Object.keys(names) as Part[];

function wantedParts(): readonly Part[] {
  const value = process.env['IOCP_NET_REGISTER'];
  if (value === undefined || value === '' || value === 'all') return parts;
  if (value === 'server' || value === 'client') return [value];
  throw invalidValue('IOCP_NET_REGISTER', value, "it must be 'server', 'client' or 'all'");
}

function replace(wanted: readonly Part[]): void {
  const builtin = process.getBuiltinModule('node:net') as unknown as Record<string, unknown>;
  for (const part of wanted) {
    for (const name of names[part]) {
      builtin[name] = (ours as unknown as Record<string, unknown>)[name];
      debug('net.%s is ours', name);
    }
  }
}

type Datagrams = typeof import('../dgram/index');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- with the first datagram socket
const datagrams = (): Datagrams => require('../dgram/index') as Datagrams;

/**
 * Datagram sockets neither listen nor connect: they are replaced together with all of `net`. What
 * stands in Node's place loads ours at first use, and has the prototype of Node's.
 */
function replaceDatagrams(): void {
  const builtin = process.getBuiltinModule('node:dgram') as unknown as Record<string, unknown>;
  const nodes = builtin['Socket'] as { prototype: object };
  const Socket = function Socket(this: object, ...args: unknown[]): unknown {
    const ours = datagrams().Socket as unknown as new (...args: unknown[]) => object;
    if (new.target === undefined) return Reflect.apply(ours as never, this, args);
    return Reflect.construct(ours, args, new.target as never);
  };
  Object.setPrototypeOf(Socket, nodes);
  Socket.prototype = nodes.prototype as never;
  const createSocket = (...args: unknown[]): unknown =>
    Reflect.apply(datagrams().createSocket, null, args);
  Object.assign(builtin, { Socket, createSocket });
  debug('dgram is ours');
}

const wanted = wantedParts();
replace(wanted);
if (wanted.length === parts.length) replaceDatagrams();
for (const name of standLoadedOnOurs(wanted)) debug('%s was loaded before, and is moved', name);
if (wanted.includes('client')) {
  connectTlsOnCore();
  debug('TLS sockets connect on the core');
}
syncBuiltinESMExports();
