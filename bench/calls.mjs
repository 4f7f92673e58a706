// Counts the system calls of all threads of a server while a command runs: by perf's tracepoint,
// which hardly slows them down, else by strace, which does: then batches are larger than they
// would be, and fewer calls are seen.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { find } from './tools.mjs';

const EVENT = 'raw_syscalls:sys_enter';

function perfWorks(perf) {
  const { status, stderr } = spawnSync(perf, ['stat', '-x,', '-e', EVENT, 'true'], {
    encoding: 'utf8',
  });
  return status === 0 && /^\d+,/m.test(stderr);
}

function chooseTool() {
  const perf = find('perf');
  if (perf && perfWorks(perf)) return { name: 'perf', program: perf };
  const strace = find('strace');
  return strace && { name: 'strace', program: strace };
}

let tool;
/** 'perf', 'strace' or undefined. */
export function callTool() {
  tool ??= chooseTool() ?? null;
  return tool?.name;
}

/** Sums the third column of `strace -c`, or reads the one number of `perf stat -x,`. */
function total(name, text) {
  if (name === 'perf') return Number(/^(\d+),/m.exec(text)?.[1]);
  return Number(/^ *100\.00 +[\d.]+ +(?:\d+ +)?(\d+)/m.exec(text)?.[1]);
}

export function callCounter() {
  if (!callTool()) throw new Error('neither perf nor strace can count system calls here');
  const { name, program } = tool;
  const folder = mkdtempSync(join(tmpdir(), 'calls-'));
  const file = join(folder, 'counted');
  return {
    /** The command, run below the tool that watches this process. */
    around: (command, pid) =>
      name === 'perf'
        ? [program, 'stat', '-x,', '-o', file, '-e', EVENT, '-p', String(pid), '--', ...command]
        : ['sh', '-c', STRACE, program, file, String(pid), ...command],
    calls: () => total(name, readFileSync(file, 'utf8')),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** strace watches until it is interrupted, which is when the command has ended. */
const STRACE = `
"$0" -c -f -q -o "$1" -p "$2" & watcher=$!
shift 2
sleep 0.5
"$@"; status=$?
kill -INT $watcher; wait $watcher
exit $status
`;
