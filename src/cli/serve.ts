/** `iocp-net serve`: the files of a folder over HTTP, on the core. */
import { UsageError, type Command } from './command';
import { atMostOne, nothingAfterDashes, wholeNumber } from './values';

const PORTS = [0, 65_535] as const;

function indexName(value: unknown): string {
  const name = (value as string | undefined) ?? 'index.html';
  if (name !== '' && !/[/\\\0]/.test(name) && !name.startsWith('.')) return name;
  throw new UsageError(`--index must be the name of a file, and is ${name}`);
}

export const command: Command = {
  summary: 'the files of a folder over HTTP, on the core',
  usage: `Usage: iocp-net serve [DIR] [OPTIONS]

  --port N       8080; 0 takes a free one
  --host HOST    127.0.0.1: this machine alone; 0.0.0.0 or :: for others, too
  --index NAME   the file that stands for its folder: index.html
  --no-listing   a folder without that file is not shown
  --dotfiles     also files and folders whose names begin with a dot

Gives out nothing outside of DIR, which is the current folder where it is left out,
whatever symbolic links there are. Ends with Ctrl-C.`,
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    index: { type: 'string' },
    'no-listing': { type: 'boolean' },
    dotfiles: { type: 'boolean' },
  },
  allowPositionals: true,
  async run(values, positionals, afterDashes) {
    nothingAfterDashes(afterDashes);
    const path = atMostOne(positionals, 'folder') ?? '.';
    const port = wholeNumber('port', values['port'], PORTS, 8080);
    const host = (values['host'] as string | undefined) ?? '127.0.0.1';
    if (host === '') throw new UsageError('--host must not be empty');
    const index = indexName(values['index']);
    const { ServedFolder } = await import('./serve/folder.js');
    const { serve } = await import('./serve/server.js');
    const folder = await ServedFolder.open(path, values['dotfiles'] === true);
    const listsFolders = values['no-listing'] !== true;
    return serve({ folder, index, listsFolders }, { host, port });
  },
};
