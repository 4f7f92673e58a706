// A headless browser of the machine's.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Its path, or undefined where the machine has none. $CHROMIUM says another one. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

export function openChromium(executablePath) {
  // It refuses its sandbox to root, which containers and CI are; it sees our own pages alone.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return puppeteer.launch({ executablePath, headless: true, args });
}

/** In which pages are looked at, in pixels. */
export const screenSizes = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};
