// Checks blocks of TypeScript, JSON and shell.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expectGoodEnd, start } from './child.mjs';

const compilerOptions = {
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node20,
  types: ['node'],
  lib: ['lib.es2023.d.ts'],
};

/** Compiled against the types that the package ships. */
export function checkTs({ code }, { folder, name }) {
  const file = join(folder, `${name}.mts`);
  writeFileSync(file, code);
  const program = ts.createProgram([file], { ...compilerOptions, typeRoots: typeRoots(folder) });
  const found = ts.getPreEmitDiagnostics(program);
  if (found.length > 0) {
    const words = found.map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n'));
    throw new Error(words.join('\n'));
  }
}

const typeRoots = (folder) => [join(folder, 'node_modules/@types')];

/** In a project, its lines one after the other; the first that fails ends it. */
export async function runSh({ code }, { folder, name }) {
  const file = join(folder, `${name}.sh`);
  writeFileSync(file, `set -eu\n${code}`);
  const child = start('bash', [file], {
    cwd: folder,
    // npx takes what is in node_modules; nothing is to be fetched.
    env: {
      npm_config_offline: 'true',
      npm_config_yes: 'false',
      npm_config_update_notifier: 'false',
    },
  });
  try {
    await expectGoodEnd(child);
  } finally {
    child.stop();
  }
}

export const checkJson = ({ code }) => void JSON.parse(code);
