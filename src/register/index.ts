/**
 * `iocp-net/register`: puts our `net` in the place of Node's, for the whole process, so that all
 * that stands on `net` (`http`, `https`, `http2`, `tls`, packages) listens and connects on the core.
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

const wanted = wantedParts();
replace(wanted);
for (const name of standLoadedOnOurs(wanted)) debug('%s was loaded before, and is moved', name);
if (wanted.includes('client')) {
  connectTlsOnCore();
  debug('TLS sockets connect on the core');
}
syncBuiltinESMExports();
