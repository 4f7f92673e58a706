// The folder in which blocks run: a user's project in which `iocp-net` is this checkout.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../folders.mjs';

export function makeProject() {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-docs-'));
  const given = join(import.meta.dirname, 'project');
  cpSync(join(given, 'package.json'), join(folder, 'package.json'));
  cpSync(join(given, 'app.mjs'), join(folder, 'app.js')); // as the pages name it
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  mkdirSync(join(folder, 'node_modules/@types'));
  symlinkSync(root, join(folder, 'node_modules/iocp-net'));
  chmodSync(join(root, 'dist/cli/main.js'), 0o755); // as npm does when it installs
  symlinkSync('../iocp-net/dist/cli/main.js', join(folder, 'node_modules/.bin/iocp-net'));
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
