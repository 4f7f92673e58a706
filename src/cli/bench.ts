/** `iocp-net bench`: node:net and iocp-net side by side, in servers of ours or in the user's own. */
import { UsageError, type Command } from './command';
import { wholeNumber } from './values';

const SECONDS = [5, 3600] as const;
const CONNECTIONS = [1, 10_000] as const;

function readConnections(value: unknown, otherwise: readonly number[]): readonly number[] {
  if (typeof value !== 'string') return otherwise;
  const numbers = value
    .split(',')
    .map((each) => wholeNumber('connections', each.trim(), CONNECTIONS, 0));
  return [...new Set(numbers)];
}

/** The option stands where it is found first: before the command, or behind it. */
function takeUrl(url: unknown, words: readonly string[]): { url: unknown; command: string[] } {
  const command = [...words];
  if (url !== undefined) return { url, command };
  const at = command.findIndex((word) => word === '--url' || word.startsWith('--url='));
  if (at < 0) return { url, command };
  const [option = '', next] = command.splice(at, command[at] === '--url' ? 2 : 1);
  return { url: option === '--url' ? next : option.slice('--url='.length), command };
}

function checkUrl(url: unknown): string {
  const given = typeof url === 'string' ? url : '';
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    const what = url === undefined ? 'which is missing' : `and is ${given}`;
    throw new UsageError(`--url must be what the server answers, http: or https:, ${what}`);
  }
  return given;
}

export const command: Command = {
  summary: 'node:net and iocp-net side by side on this machine, in your own server too',
  usage: `Usage: iocp-net bench [OPTIONS]
       iocp-net bench [OPTIONS] --url URL -- COMMAND…

  --url URL            what the server that COMMAND starts answers
  --seconds N          how long it may take in all, about: 45, with COMMAND 60
  --connections N,…    the loads: 1,64, with COMMAND 1,8,64
  --json               one JSON object, with the names in docs/command-line.md

Without COMMAND: an echo and an HTTP server of ours. With COMMAND: starts it three
times a round, as it is, with iocp-net/register, and as it is again for the noise,
and says in words what is better. Loads by autocannon where it is installed.
Says what it does on stderr. Stops all that it has started.`,
  options: {
    url: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    json: { type: 'boolean' },
  },
  allowPositionals: true,
  async run(values, positionals, afterDashes) {
    const { url, command } = takeUrl(values['url'], [...positionals, ...afterDashes]);
    const asJson = values['json'] === true;
    if (command.length === 0 && url === undefined) {
      const seconds = wholeNumber('seconds', values['seconds'], SECONDS, 45);
      const connections = readConnections(values['connections'], [1, 64]);
      const { benchBuiltIn } = await import('./bench/built-in.js');
      return benchBuiltIn({ seconds, connections, asJson });
    }
    if (command.length === 0) throw new UsageError('no command follows --; it starts the server');
    const seconds = wholeNumber('seconds', values['seconds'], SECONDS, 60);
    const connections = readConnections(values['connections'], [1, 8, 64]);
    const { benchProgram } = await import('./bench/program.js');
    return benchProgram({ command, url: checkUrl(url), seconds, connections, asJson });
  },
};
