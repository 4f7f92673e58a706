/** A short HTTP load, by the program that makes the long one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(__dirname, '../../..');

if (process.platform === 'win32') {
  // There the load comes from outside: http-load.mjs --wine.
  console.log('TAP version 14\nok 1 - HTTP load # SKIP made from outside\n1..1');
} else {
  const args = [join(root, 'test/load/http-load.mjs'), '--seconds', '2'];
  // A sanitizer that is loaded into this Node is meant for the server, not for who loads it.
  const env = { ...process.env, LD_PRELOAD: '', SERVER_PRELOAD: process.env['LD_PRELOAD'] ?? '' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => child.kill(signal));
  }
  void once(child, 'exit').then(([code]) => {
    process.exitCode = (code as number | null) ?? 1;
  });
}
