// The commands that the pages name exist, also in blocks that are not run.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../folders.mjs';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const RUN = /\bnpm run (?:--silent )?([a-z][\w:-]*)/g;
const FILE = /\bnode ((?:scripts|bench|test|examples)\/[\w./-]+\.[cm]?js)\b/g;

/** What a page names and the checkout does not have. */
export function missingCommands(page) {
  const text = readFileSync(join(root, page), 'utf8');
  const names = [...text.matchAll(RUN)].map(([, name]) => name);
  const paths = [...text.matchAll(FILE)].map(([, path]) => path);
  return [
    ...names.filter((name) => scripts[name] === undefined).map((name) => `npm run ${name}`),
    ...paths.filter((path) => !existsSync(join(root, path))),
  ];
}
