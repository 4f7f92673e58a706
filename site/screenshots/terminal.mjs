// What a command shows in a terminal. util-linux's `script` gives it a terminal of its own, and what
// it writes there is read by a terminal emulator, so that wrapped lines and screens that are drawn
// anew come out as people see them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import xterm from '@xterm/headless';

const LIMIT_MS = 180_000;
/** Begins each screen of a command that draws anew. */
const CLEAR = '\x1b[H\x1b[J';

/** What was written up to the last whole screen; null until there are so many. */
function screensOf(written, count) {
  const begins = written.split(CLEAR);
  return begins.length > count + 1 ? begins.slice(0, -1).join(CLEAR) : null;
}

/**
 * What a command writes into a terminal: all until it ends or, of one that draws anew, `screens`
 * screens, after which q is pressed.
 */
async function write({ command, columns, rows, cwd, screens }) {
  const inside = `stty cols ${columns} rows ${rows} && ${command}`;
  const child = spawn('script', ['--quiet', '--return', '--command', inside, '/dev/null'], {
    cwd,
    // npx would draw that it waits.
    env: { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', npm_config_progress: 'false' },
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let written = '';
  let shown = null;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    written += text;
    if (screens === undefined || shown !== null) return;
    shown = screensOf(written, screens);
    if (shown !== null) child.stdin.write('q');
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) {
    throw new Error(`${command}: ${signal ?? code}\n${stripVTControlCharacters(written)}`);
  }
  return shown ?? written;
}

async function read(text, { columns, rows }) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  await new Promise((resolve) => terminal.write(text, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, at) =>
    active.getLine(at).translateToString(true),
  );
  terminal.dispose();
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
}

/**
 * The lines that the terminal shows. `clean` sees what was written before lines are made of it.
 *
 * @param {{ command: string, columns: number, rows: number, cwd: string, screens?: number,
 *   clean: (text: string) => string }} what
 */
export async function linesInTerminal(what) {
  return read(what.clean(await write(what)), what);
}
