// The pictures of docs/screenshots, and what each shows.
import { join } from 'node:path';
import { root } from '../folders.mjs';

export const screenshotsFolder = join(root, 'docs/screenshots');

/** Commands in a terminal, by the name of the picture. `screens`: of one that draws anew. */
export const terminals = [
  { name: 'doctor.svg', command: () => 'npx iocp-net doctor', columns: 97, rows: 60 },
  // What it says while it runs is on stderr.
  {
    name: 'bench.svg',
    command: () => 'npx iocp-net bench --seconds 30 2>/dev/null',
    columns: 150,
    rows: 40,
  },
  {
    name: 'top.svg',
    command: ({ pid }) => `npx iocp-net top ${pid}`,
    columns: 100,
    rows: 20,
    screens: 5,
  },
];

/** The site's front page, by the name of the picture; `screen` is one of site/chromium.mjs. */
export const pages = [
  { name: 'site-desktop.png', screen: 'desktop' },
  { name: 'site-phone.png', screen: 'phone' },
];
