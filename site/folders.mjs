// Where the site is made.
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
const made = join(root, 'build/site');
/** The pages as VitePress reads them. */
export const pagesFolder = join(made, 'pages');
export const htmlFolder = join(made, 'html');
export const cacheFolder = join(made, 'cache');
