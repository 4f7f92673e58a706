// Looks at every page of the built site in a headless browser: links and anchors, errors, requests
// to elsewhere, the width on a phone and of tables, and the contrast in light and in dark.
import { readdirSync } from 'node:fs';
import { htmlFolder } from '../folders.mjs';
import { serveSite } from '../build.mjs';
import { findChromium, openChromium, screenSizes } from '../chromium.mjs';
import {
  contents,
  endFading,
  hasScheme,
  lowestContrast,
  overflow,
  wideTables,
} from './in-page.mjs';

const SCHEMES = ['light', 'dark'];
/** What WCAG 2 asks of body text (AA). */
const LEAST_CONTRAST = 4.5;

const pagesOf = (origin) =>
  readdirSync(htmlFolder, { recursive: true })
    .filter((file) => file.endsWith('.html') && file !== '404.html')
    .map((file) => `${origin}/${file}`)
    .sort();

/** A page's address without its anchor, one for each page. */
const pageOf = (url) => {
  const { origin, pathname } = new URL(url);
  if (pathname.endsWith('/')) return `${origin}${pathname}index.html`;
  return `${origin}${pathname}`;
};

/** Errors of the page, and requests that failed or left the machine. */
function watch(tab, origin) {
  const troubles = [];
  tab.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) troubles.push(`console: ${message.text()}`);
  });
  tab.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  tab.on('requestfailed', (request) => troubles.push(`no answer: ${request.url()}`));
  tab.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:'))
      troubles.push(`from elsewhere: ${url}`);
  });
  return troubles;
}

async function expectReadable(tab, scheme, size) {
  await tab.setViewport(screenSizes[size]);
  await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await tab.waitForFunction(hasScheme, { polling: 50, timeout: 15_000 }, scheme);
  await tab.evaluate(endFading);
  const { beyond, culprits } = await tab.evaluate(overflow);
  if (beyond > 0) throw new Error(`${size}: ${beyond} px too wide: ${culprits.join('; ')}`);
  const wide = size === 'desktop' ? await tab.evaluate(wideTables) : [];
  if (wide.length > 0) throw new Error(`tables do not fit a screen by ${wide.join('; ')}`);
  const { ratio, where } = await tab.evaluate(lowestContrast);
  if (ratio < LEAST_CONTRAST) {
    throw new Error(`${size}, ${scheme}: contrast of ${where} is ${ratio.toFixed(2)}`);
  }
}

/** Looks at a page, and keeps what it holds. */
async function look(browser, url, origin, held) {
  const tab = await browser.newPage();
  try {
    const troubles = watch(tab, origin);
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await tab.goto(url, { waitUntil: 'networkidle0', timeout: 30_000 });
    const holds = await tab.evaluate(contents);
    held.set(url, holds);
    for (const scheme of SCHEMES) {
      for (const size of Object.keys(screenSizes)) await expectReadable(tab, scheme, size);
    }
    if (holds.lostPictures.length > 0) throw new Error(`lost: ${holds.lostPictures.join(', ')}`);
    if (troubles.length > 0) throw new Error(troubles.join('\n'));
  } finally {
    await tab.close();
  }
}

/** Links of a page that lead nowhere on the site. */
function deadLinks(links, held, origin) {
  return [...new Set(links)].filter((link) => {
    if (!link.startsWith(origin)) return false;
    const anchor = decodeURIComponent(new URL(link).hash.slice(1));
    const target = held.get(pageOf(link));
    return target === undefined || (anchor !== '' && !target.ids.includes(anchor));
  });
}

async function lookAtAll(report, browser, origin) {
  const pages = pagesOf(origin);
  const held = new Map();
  const queue = [...pages];
  const work = async () => {
    for (let url = queue.shift(); url !== undefined; url = queue.shift()) {
      const own = url;
      await report.check(`${own.slice(origin.length)} is readable`, () =>
        look(browser, own, origin, held),
      );
    }
  };
  await Promise.all([work(), work()]);
  for (const [url, { links }] of held) {
    await report.check(`links of ${url.slice(origin.length)}`, () => {
      const dead = deadLinks(links, held, origin);
      if (dead.length > 0) throw new Error(`they lead nowhere:\n${dead.join('\n')}`);
    });
  }
}

/** @returns {Promise<void>} */
export async function runSite(report) {
  const chromium = findChromium();
  if (chromium === undefined) {
    console.log('# the site is not looked at: no chromium on PATH (apt-get install chromium)');
    return;
  }
  const { server } = await serveSite(0);
  const origin = `http://localhost:${server.address().port}`;
  const browser = await openChromium(chromium);
  try {
    await lookAtAll(report, browser, origin);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}
