/** What the command line knows of one of its commands. */
import type { ParseArgsConfig } from 'node:util';

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `iocp-net NAME --help` prints below the summary. */
  readonly usage: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  readonly allowPositionals: boolean;
  /** Its answer is the exit code. `afterDashes` is what followed `--`. */
  run(
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
    afterDashes: readonly string[],
  ): Promise<number>;
}

/** What was typed makes no sense: told on stderr, and the exit code is 2. */
export class UsageError extends Error {}
