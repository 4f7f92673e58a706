// What the installed package does where none of its binaries fits, and `npx iocp-net build` there.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const WARNING = 'IOCP_NET_FALLBACK';
const REMEDY = 'npx iocp-net build';

/** Says which backend serves, and prints each warning of ours. */
const ask = `
process.on('warning', ({ code, message }) => console.log(code + ' ' + message));
console.log('backend ' + require('iocp-net/engine').engine.backend);`;

/**
 * TAP, as a program would print it.
 *
 * @param {string} project  with the package installed; loses its prebuilt binaries
 * @returns {{ stdout: string, stderr: string, code: number }}
 */
export function buildFromSource(project) {
  const rows = [];
  const check = (holds, name, seen) => {
    rows.push(`${holds ? 'ok' : 'not ok'} ${rows.length + 1} - ${name}`);
    if (!holds)
      rows.push(
        ...String(seen)
          .split('\n')
          .map((line) => `# ${line}`),
      );
  };
  const run = (command, args, env = {}) => {
    const options = { cwd: project, encoding: 'utf8', env: { ...process.env, ...env } };
    const { stdout, stderr, status } = spawnSync(command, args, { ...options, timeout: 900_000 });
    return { printed: `${stdout}${stderr}`, stdout, status };
  };
  const build = (env) => run('npx', ['--no-install', 'iocp-net', 'build'], env);

  const installed = join(project, 'node_modules/iocp-net');
  // Package managers compile at install where they see one.
  check(!existsSync(join(installed, 'binding.gyp')), 'no binding.gyp at the root of the package');
  rmSync(join(installed, 'prebuilds'), { recursive: true, force: true });

  const without = run(process.execPath, ['-e', ask]);
  const warned = without.stdout.split(WARNING).length - 1;
  check(
    without.stdout.includes('backend node'),
    'without a binary node:net serves',
    without.printed,
  );
  check(warned === 1, 'it warns once', without.printed);
  check(without.stdout.includes(REMEDY), 'the warning names the remedy', without.printed);

  const nothing = build({ CXX: '/nonexistent/c++', PYTHON: '/nonexistent/python' });
  check(nothing.status === 1, 'without tools the build fails', nothing.printed);
  for (const tool of ['/nonexistent/c++', '/nonexistent/python']) {
    check(nothing.printed.includes(tool), `it names ${tool}`, nothing.printed);
  }
  const old = build({ CXX: 'c++ -D_GLIBCXX_ATOMIC' }); // <atomic> is empty then, as of old
  check(
    old.status === 1 && old.printed.includes('C++20'),
    'it wants a compiler that has C++20',
    old.printed,
  );

  const made = build({});
  check(made.status === 0, 'with them it succeeds', made.printed);
  const [backend] = /backend \w+/.exec(made.printed) ?? [];
  check(backend === 'backend epoll', 'it says that the core runs', made.printed);
  const leftBehind = readdirSync(join(installed, 'build'), { recursive: true }).filter(
    (name) => name.includes('.') && !name.endsWith('iocp_net.node'),
  );
  check(leftBehind.length === 0, 'it leaves the binary alone', leftBehind);
  const failed = rows.some((row) => row.startsWith('not ok'));
  return {
    stdout: `${[...rows, `1..${rows.length}`].join('\n')}\n`,
    stderr: '',
    code: failed ? 1 : 0,
  };
}
