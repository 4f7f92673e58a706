// The pictures of the pages: each is there, is shown somewhere with words for those who cannot see
// it, and shows something; those of terminals name no place of the machine they were taken on.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import MarkdownIt from 'markdown-it';
import { screenSizes } from '../chromium.mjs';
import { root } from '../folders.mjs';
import { files, isGenerated, pictureFolders } from '../pages.mjs';
import { pages, screenshotsFolder, terminals } from '../screenshots/list.mjs';

/** Of what is said of a picture; a chart's table stands beside it. */
const LEAST_WORDS = { 'docs/bench': 1, 'docs/screenshots': 8 };
const LEAST_LINES = 10;
const PNG_BYTES = { least: 10 * 1024, most: 100 * 1024 };
/** A path other than of the project that readers would have. */
const PLACE = /(?<![\w.:/&-])\/(?!srv\/app\b|dev\/null\b)[a-z]+\/[\w.-]+/;

/** What the pages show: `[file of the repository, words]`. */
function shown() {
  const found = [];
  const collect = (page, tokens) => {
    for (const token of tokens) {
      if (token.type === 'image') {
        const file = posix.join(posix.dirname(page), token.attrGet('src'));
        found.push([file, token.content]);
      }
      if (token.children) collect(page, token.children);
    }
  };
  for (const page of files.filter((each) => !isGenerated(each))) {
    collect(page, new MarkdownIt().parse(readFileSync(join(root, page), 'utf8'), {}));
  }
  return found;
}

function expectShown(file, leastWords, all) {
  const words = all.filter(([each]) => each === file).map(([, text]) => text);
  if (words.length === 0) throw new Error('no page shows it');
  const poor = words.find((text) => (text.match(/\S+/g)?.length ?? 0) < leastWords);
  if (poor !== undefined) throw new Error(`its words say nothing: "${poor}"`);
}

function expectTerminal({ name }) {
  const picture = readFileSync(join(screenshotsFolder, name), 'utf8');
  const lines = new Set([...picture.matchAll(/ y="([\d.]+)" textLength/g)].map(([, y]) => y));
  if (lines.size < LEAST_LINES) throw new Error(`it shows ${lines.size} lines`);
  const place = PLACE.exec(picture);
  if (place !== null) throw new Error(`it shows ${place[0]}, a place of the machine`);
}

function expectPage({ name, screen }) {
  const picture = readFileSync(join(screenshotsFolder, name));
  const size = { width: picture.readUInt32BE(16), height: picture.readUInt32BE(20) };
  const { width, height } = screenSizes[screen];
  if (size.width !== width || size.height !== height) {
    throw new Error(`it has ${size.width} x ${size.height} pixels, not those of a ${screen}`);
  }
  const { least, most } = PNG_BYTES;
  if (picture.length < least) throw new Error(`of ${picture.length} bytes it shows nothing`);
  if (picture.length > most) throw new Error(`${picture.length} bytes are more than ${most}`);
}

export async function runPictures(report) {
  const all = shown();
  for (const folder of pictureFolders) {
    for (const name of readdirSync(join(root, folder))) {
      const file = `${folder}/${name}`;
      await report.check(`${file} is shown`, () => expectShown(file, LEAST_WORDS[folder], all));
    }
  }
  for (const shot of terminals) {
    await report.check(`docs/screenshots/${shot.name}`, () => expectTerminal(shot));
  }
  for (const shot of pages) {
    await report.check(`docs/screenshots/${shot.name}`, () => expectPage(shot));
  }
}
