/** Where the addon may come from outside of the package, and which of those for Linux it is. */
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { withAddonFile } from '#dist/port/addon-file.js';
import { libc } from '#dist/port/libc.js';
import { checkFolder, checkPath } from '#dist/port/trusted-path.js';

const isWindows = process.platform === 'win32';
const onWindows = isWindows ? {} : { skip: 'of Windows' };
const onPosix = isWindows ? { skip: 'Windows has no modes' } : {};

t.test('the C library is that of the executable', (test) => {
  const { execPath } = process;
  const { LIBC } = process.env;
  test.teardown(() => {
    process.execPath = execPath;
    if (LIBC !== undefined) process.env['LIBC'] = LIBC;
  });
  delete process.env['LIBC'];
  const of = (text: string) => {
    process.execPath = join(test.testdir({ node: text }), 'node');
    return libc();
  };
  test.equal(of('\x7fELF \0/lib/ld-musl-x86_64.so.1\0'), 'musl');
  test.equal(of('\x7fELF \0/lib64/ld-linux-x86-64.so.2\0'), 'glibc');
  const ofReport = of('\x7fELF, and the name of the linker lies elsewhere');
  process.execPath = execPath;
  if (process.platform === 'linux') test.equal(ofReport, libc(), 'the report says the same');
  process.env['LIBC'] = 'musl';
  test.equal(libc(), 'musl', 'LIBC decides');
  delete process.env['LIBC'];
  test.end();
});

t.test('a path that others can write to is refused', onPosix, (test) => {
  const folder = test.testdir({ prebuilds: { 'linux-x64': { 'iocp-net.node': '' } } });
  const path = 'prebuilds/linux-x64/iocp-net.node';
  checkPath(folder, path);
  for (const at of [path, dirname(path), 'prebuilds', '']) {
    const opened = join(folder, at);
    const { mode } = statSync(opened);
    chmodSync(opened, mode | 0o002);
    test.throws(() => checkPath(folder, path), { message: `other users can write to ${opened}` });
    chmodSync(opened, mode);
  }
  chmodSync(folder, 0o1777);
  checkPath(folder, path);
  checkFolder(folder);
  test.pass('of a sticky folder only its owner takes away what is in it');
  if (process.getuid?.() === 0) {
    // Somebody who is neither root nor the owner of the folder.
    const prebuilds = join(folder, 'prebuilds');
    const { getuid } = process;
    process.getuid = () => 4711;
    test.teardown(() => (process.getuid = getuid));
    checkPath(folder, path);
    test.throws(() => chownAndCheck(folder, path, prebuilds), /other users can write/);
  }
  test.end();
});

function chownAndCheck(folder: string, path: string, owned: string): void {
  chownSync(owned, 4712, 4712);
  checkPath(folder, path);
}

t.test('a file that is gone when it has been used', onPosix, (test) => {
  const parent = test.testdir();
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = parent;
  test.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
  const seen = withAddonFile(Buffer.from('the addon'), (file) => {
    test.equal(statSync(file).mode & 0o777, 0o600);
    test.equal(statSync(dirname(file)).mode & 0o777, 0o700);
    return { file, text: readFileSync(file, 'utf8') };
  });
  test.equal(seen.text, 'the addon');
  test.notOk(existsSync(seen.file));
  const fails = (): never => {
    throw new Error('not an addon');
  };
  test.throws(() => withAddonFile(Buffer.from('no addon'), fails), { message: 'not an addon' });
  test.strictSame(readdirSync(parent), []);

  chmodSync(parent, 0o777);
  test.throws(() => withAddonFile(Buffer.from('the addon'), fails), /other users can write/);
  test.end();
});

t.test('a file that stays, and is the same', onWindows, (test) => {
  const local = test.testdir();
  process.env['LOCALAPPDATA'] = local;
  const use = (text: string) =>
    withAddonFile(Buffer.from(text), (file) => ({ file, text: readFileSync(file, 'utf8') }));
  const first = use('the addon');
  test.equal(first.text, 'the addon');
  writeFileSync(first.file, 'damaged');
  test.strictSame(use('the addon'), first);
  test.not(use('another').file, first.file);
  test.equal(readdirSync(join(local, 'iocp-net')).length, 2);
  test.end();
});
