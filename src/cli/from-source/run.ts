/** Programs that the build starts. */
import { spawn } from 'node:child_process';

/** Lines of a failure that are shown: the first error of a compiler is among them. */
const SHOWN_LINES = 40;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether what it prints is shown as it comes; otherwise only where it fails. */
  readonly verbose?: boolean;
}

/** It ended with another code than 0, or could not be started. */
export class ProgramError extends Error {
  constructor(
    readonly program: string,
    reason: string,
    /** What it printed, shortened; empty where that has been shown already. */
    readonly printed: string,
  ) {
    super(`${program} ${reason}${printed && `\n${printed}`}`);
  }
}

/** Answers with what it wrote to stdout. */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env = process.env, verbose = false }: RunOptions = {},
): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, {
      ...(cwd !== undefined && { cwd }),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let answer = '';
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (stream === child.stdout) answer += text;
        printed += text;
        if (verbose) process.stderr.write(text);
      });
    }
    const fail = (reason: string) => {
      const lines = verbose ? [] : printed.trimEnd().split('\n');
      failed(new ProgramError(program, reason, lines.slice(0, SHOWN_LINES).join('\n')));
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      fail(`could not be started: ${error.code ?? error.message}`);
    });
    child.once('close', (code, signal) => {
      if (code === 0) done(answer);
      else fail(`ended with ${signal ?? String(code)}`);
    });
  });
}
