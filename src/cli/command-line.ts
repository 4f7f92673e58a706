/**
 * From the words of a command line to the command that they mean. What is asked for goes to stdout;
 * what is wrong goes to stderr, with 2 as the exit code where the words are, and 1 where the work is.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { packageVersion } from '../environment';
import { UsageError } from './command';
import { commands } from './commands';
import { suggestion } from './nearest';

type Options = NonNullable<ParseArgsConfig['options']>;

const everywhere = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Options;

const footer = `
iocp-net COMMAND --help says more of each; --version prints the version.`;

async function overview(): Promise<string> {
  const width = Math.max(...[...commands.keys()].map((name) => name.length));
  const lines = await Promise.all(
    [...commands].map(async ([name, load]) => {
      const { command } = await load();
      return `  ${name.padEnd(width)}   ${command.summary}`;
    }),
  );
  return ['Usage: iocp-net COMMAND [OPTIONS]\n', ...lines, footer].join('\n');
}

/** The first option that is not known, by its name as it was typed. */
function unknownOption(args: string[], options: Options): { typed: string; name: string } | null {
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'option' && !Object.hasOwn(options, token.name)) {
      return { typed: token.rawName, name: token.name };
    }
  }
  return null;
}

function parse(args: string[], options: Options, allowPositionals: boolean) {
  const unknown = unknownOption(args, options);
  if (unknown !== null) {
    const meant = suggestion(unknown.name, Object.keys(options), '--');
    throw new UsageError(`unknown option ${unknown.typed}${meant}`);
  }
  try {
    return parseArgs({ args, options, allowPositionals, strict: true });
  } catch (error) {
    // What Node says of a value that is missing or of a word too many is clear enough.
    throw new UsageError((error as Error).message);
  }
}

async function runCommand(name: string, words: readonly string[]): Promise<number> {
  const load = commands.get(name);
  if (load === undefined) {
    const meant = suggestion(name, commands.keys());
    throw new UsageError(`unknown command ${name}${meant}; iocp-net --help lists the commands`);
  }
  const { command } = await load();
  const dashes = words.indexOf('--');
  const args = dashes < 0 ? [...words] : words.slice(0, dashes);
  const options = { ...command.options, ...everywhere };
  const { values, positionals } = parse(args, options, command.allowPositionals);
  if (values['help'] === true) return print(`${command.summary}\n\n${command.usage}`);
  if (values['version'] === true) return print(packageVersion());
  return command.run(values, positionals, dashes < 0 ? [] : words.slice(dashes + 1));
}

function print(text: string): number {
  console.log(text);
  return 0;
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [name, ...others] = words;
  if (name !== undefined && !name.startsWith('-')) return runCommand(name, others);
  const { values } = parse([...words], everywhere, false);
  if (values['version'] === true) return print(packageVersion());
  if (values['help'] === true) return print(await overview());
  throw new UsageError(`no command is given\n\n${await overview()}`);
}

/** Runs what the words say, and answers with the exit code. Never rejects. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(words);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`iocp-net: ${message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}
