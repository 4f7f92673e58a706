/** A terminal that is drawn anew, or lines where there is none. */

const CLEAR = '\x1b[H\x1b[J';
const OTHER_SCREEN = '\x1b[?1049h\x1b[?25l';
const FIRST_SCREEN = '\x1b[?25h\x1b[?1049l';
const CTRL_C = '\x03';

export interface Screen {
  draw(lines: readonly string[]): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

const plain: Screen = {
  draw: (lines) => process.stdout.write(`${lines.join('\n')}\n\n`),
  close: () => {},
};

/** `onQuit` is called for q and Ctrl-C, which a terminal in raw mode gives as a letter. */
export function openScreen(onQuit: () => void): Screen {
  const { stdin, stdout } = process;
  if (!stdout.isTTY) return plain;
  const onKeys = (keys: Buffer): void => {
    if (/[qQ]/.test(String(keys)) || String(keys).includes(CTRL_C)) onQuit();
  };
  const readsKeys = stdin.isTTY;
  if (readsKeys) stdin.setRawMode(true).on('data', onKeys).resume();
  stdout.write(OTHER_SCREEN);
  return {
    draw(lines) {
      const shown = lines.slice(0, Math.max(1, (stdout.rows || 24) - 1));
      const width = stdout.columns || 80;
      stdout.write(CLEAR + shown.map((line) => line.slice(0, width)).join('\r\n'));
    },
    close() {
      stdout.write(FIRST_SCREEN);
      if (readsKeys) stdin.setRawMode(false).off('data', onKeys).pause();
    },
  };
}
