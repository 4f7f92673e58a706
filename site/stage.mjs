// Puts the pages where VitePress reads them, with links that lead to each other there.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { pagesFolder, root } from './folders.mjs';
import { files, isGenerated, pictureFolders, placeOf } from './pages.mjs';

/** Text in parentheses behind the text of a link, but for what has a scheme or is an anchor alone. */
const LINK = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?![a-z]+:|#)([^)\s]+)\)/g;

/** The link of `file` for the site: a page, a picture, or words alone where it leads to a source. */
function linkOnSite(file, [, picture, words, target]) {
  const [path, anchor] = target.split('#');
  const named = posix.normalize(posix.join(posix.dirname(file), path));
  if (!existsSync(join(root, named))) throw new Error(`${file} links to ${target}: no such file`);
  if (picture) return `![${words}](/${named.replace(/^docs\//, '')})`;
  if (!files.includes(named)) {
    if (named.endsWith('.md') && named.startsWith('docs/')) throw new Error(missing(named));
    return words;
  }
  return `[${words}](/${placeOf(named)}${anchor === undefined ? '' : `#${anchor}`})`;
}

const missing = (file) => `${file} is not in site/pages.mjs, so that nobody would find it`;

/** A page with its links changed, but for those in blocks of code. */
function forSite(file) {
  let isCode = false;
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((line) => {
      if (/^\s*```/.test(line)) isCode = !isCode;
      return isCode ? line : line.replace(LINK, (...match) => linkOnSite(file, match));
    })
    .join('\n');
}

function checkList() {
  for (const name of readdirSync(join(root, 'docs'))) {
    if (name.endsWith('.md') && !files.includes(`docs/${name}`)) {
      throw new Error(missing(`docs/${name}`));
    }
  }
  for (const file of files) {
    if (!isGenerated(file) && !existsSync(join(root, file))) {
      throw new Error(`site/pages.mjs lists ${file}, which does not exist`);
    }
  }
}

export function stage() {
  checkList();
  for (const file of files.filter((each) => !isGenerated(each))) {
    const place = join(pagesFolder, placeOf(file));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, forSite(file));
  }
  for (const folder of pictureFolders) {
    const place = join(pagesFolder, 'public', posix.basename(folder));
    cpSync(join(root, folder), place, { recursive: true });
  }
}
