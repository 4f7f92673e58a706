/** The manners of the command line: what goes where, with which exit code. */
import t from 'tap';
import { runCommand } from '../support/command-line';

// Each of many programs takes a second where the machine is slow.
t.setTimeout(170_000);

const commands = ['doctor', 'bench', 'serve', 'top'];

t.test('help is what was asked for: on stdout, exit code 0', async (test) => {
  for (const words of [['--help'], ['-h'], ...commands.map((name) => [name, '--help'])]) {
    const { code, stdout, stderr } = await runCommand(words);
    test.equal(code, 0, words.join(' '));
    test.match(stdout, /Usage: iocp-net/);
    test.equal(stderr, '');
  }
  const { stdout } = await runCommand(['-h']);
  for (const name of commands) test.match(stdout, new RegExp(`^  ${name} `, 'm'));
});

t.test('so is the version', async (test) => {
  for (const words of [['--version'], ['-v'], ['doctor', '-v']]) {
    const { code, stdout } = await runCommand(words);
    test.equal(code, 0);
    test.match(stdout, /^\d+\.\d+\.\d+\S*\n$/);
  }
});

const mistakes: readonly (readonly [words: string[], said: RegExp])[] = [
  [[], /no command is given/],
  [['docter'], /unknown command docter \(did you mean doctor\?\)/],
  [['quxquux'], /unknown command quxquux;/],
  [['--versoin'], /unknown option --versoin \(did you mean --version\?\)/],
  [['doctor', '--jsn'], /unknown option --jsn \(did you mean --json\?\)/],
  [['doctor', '-x'], /unknown option -x/],
  [['doctor', 'now'], /Unexpected argument 'now'/],
  [['doctor', '--', 'now'], /nothing may follow --, and now does/],
  [['doctor', '--json=yes'], /does not take an argument/],
  [['serve', '--port'], /argument missing/],
  [['serve', '--port', '65536'], /--port must be a whole number from 0 to 65535, and is 65536/],
  [['serve', '--port=-1'], /--port must be a whole number/],
  [['serve', '--index', 'a/b'], /--index must be the name of a file/],
  [['serve', 'one', 'two'], /one folder is enough/],
  [['bench', '--seconds', 'long'], /--seconds must be a whole number from 5 to 3600/],
  [['bench', '--connections', '1,many'], /--connections must be a whole number/],
  [['bench', '--url', 'http://127.0.0.1:1/'], /no command follows --/],
  [['bench', '--', 'node', 'app.js'], /--url must be what the server answers/],
  [['bench', '--url', 'ftp://127.0.0.1/', '--', 'node'], /http: or https:, and is ftp:/],
  [['top', '1', '2'], /one process is enough/],
];

for (const [words, said] of mistakes) {
  t.test(`a mistake is said on stderr, exit code 2: ${words.join(' ')}`, async (test) => {
    const { code, stdout, stderr } = await runCommand(words);
    test.equal(code, 2);
    test.equal(stdout, '');
    test.match(stderr, said);
  });
}

t.test('what fails says so in a line, exit code 1', async (test) => {
  const { code, stdout, stderr } = await runCommand(['serve', 'no-such-folder']);
  test.equal(code, 1);
  test.equal(stdout, '');
  test.match(stderr, /^iocp-net: [^\n]*no-such-folder[^\n]*\n$/);
});
