// Takes the pictures of docs/screenshots anew.
import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildSite, serveSite } from '../build.mjs';
import { findChromium, openChromium, screenSizes } from '../chromium.mjs';
import { root } from '../folders.mjs';
import { makeProject } from '../test/project.mjs';
import { pages, screenshotsFolder, terminals } from './list.mjs';
import { startServerUnderLoad } from './server-under-load.mjs';
import { linesInTerminal } from './terminal.mjs';
import { pictureOfTerminal } from './terminal-picture.mjs';

/** Where readers would have their project. */
const PROJECT = '/srv/app';

/** Without the names that this machine has for its places and its kernel. */
const forReaders = (text, folder) =>
  text
    .replaceAll(folder, PROJECT)
    .replaceAll(root, `${PROJECT}/node_modules/iocp-net`)
    .replaceAll(release(), release().replace(/-.*/, ''));

function save(name, picture) {
  mkdirSync(screenshotsFolder, { recursive: true });
  writeFileSync(join(screenshotsFolder, name), picture);
  console.log(`docs/screenshots/${name}: ${(picture.length / 1024).toFixed(1)} KiB`);
}

async function takeTerminal(shot, project) {
  const server = shot.screens === undefined ? null : await startServerUnderLoad(project.folder);
  try {
    const command = shot.command(server ?? {});
    const clean = (text) => forReaders(text, project.folder);
    const lines = await linesInTerminal({ ...shot, command, cwd: project.folder, clean });
    save(shot.name, pictureOfTerminal(command, lines));
  } finally {
    await server?.stop();
  }
}

async function takePage({ name, screen }, browser, url) {
  const tab = await browser.newPage();
  await tab.setViewport(screenSizes[screen]);
  await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  await tab.goto(url, { waitUntil: 'networkidle0', timeout: 30_000 });
  // 256 colours are enough for text and charts, at less than half of the bytes.
  const picture = sharp(await tab.screenshot({ type: 'png' })).png({ palette: true, effort: 10 });
  save(name, await picture.toBuffer());
  await tab.close();
}

async function takePages(wanted) {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error('no chromium on PATH (apt-get install chromium)');
  // The site that is looked at shows them, too.
  for (const { name } of pages) writeFileSync(join(screenshotsFolder, name), '', { flag: 'a' });
  await buildSite();
  const { server } = await serveSite(0);
  const browser = await openChromium(chromium);
  try {
    for (const shot of wanted) {
      await takePage(shot, browser, `http://localhost:${server.address().port}/`);
    }
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

/** @param {(name: string) => boolean} isWanted */
export async function takeScreenshots(isWanted) {
  const project = makeProject();
  try {
    for (const shot of terminals.filter(({ name }) => isWanted(name))) {
      await takeTerminal(shot, project);
    }
  } finally {
    project.remove();
  }
  const wantedPages = pages.filter(({ name }) => isWanted(name));
  if (wantedPages.length > 0) await takePages(wantedPages);
}
