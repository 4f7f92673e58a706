// Prints the C++ sources for one target, one a line, so that a new file can
// never be forgotten in a .gyp list. Called by gyp with the .gyp file's folder
// as working directory:
//
//   node list-sources.mjs <gyp OS | sim> <folder>...
//
// Folders are walked; a missing one is an empty list. Where a file belongs is
// said by a word in its folder or at the end of its name:
//
//   posix/x.cc, x_posix.cc          everywhere but Windows and the simulation
//   linux/x.cc, x_linux.cc, io_uring*.cc, epoll*.cc    Linux
//   windows/x.cc, x_windows.cc, iocp*.cc               Windows
//   sim/x.cc                        the simulated system (test/sim), which is one
//                                   of its own: it has none of the above
import { existsSync, readdirSync } from 'node:fs';

const [os, ...folders] = process.argv.slice(2);

const marked = (path, word) => new RegExp(`(^|/)${word}/|[_-]${word}\\.cc$`).test(path);

function belongs(path) {
  if (marked(path, 'sim')) return os === 'sim';
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (marked(path, 'windows') || name.startsWith('iocp')) return os === 'win';
  if (marked(path, 'linux') || /^(io_uring|epoll)/.test(name)) return os === 'linux';
  if (marked(path, 'posix')) return os !== 'win' && os !== 'sim';
  return true;
}

for (const folder of folders) {
  if (!existsSync(folder)) continue;
  for (const entry of readdirSync(folder, { recursive: true }).sort()) {
    const path = `${folder}/${entry.replaceAll('\\', '/')}`;
    if (path.endsWith('.cc') && belongs(path)) console.log(path);
  }
}
