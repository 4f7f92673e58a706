// The blocks of code of the pages, with what the comments before them say.
//
//   <!-- not run: why -->              the block is counted and listed, not run
//   <!-- drive: echo 7000 -->          it serves: what is sent to the port that the page calls 7000
//                                      comes back; `http 8080`: a GET is answered with 200
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import MarkdownIt from 'markdown-it';
import { root } from '../folders.mjs';

const MARKER = /^<!--\s*(not run|drive):\s*([\s\S]*?)\s*-->$/;

/** Languages that a block may name, by what is done with it. */
export const languages = ['js', 'ts', 'sh', 'json'];

/**
 * @typedef {{ page: string, line: number, language: string, code: string,
 *   markers: Map<string, string> }} Block
 */

/** Of one page. */
export function blocksOf(file) {
  const tokens = new MarkdownIt({ html: true }).parse(readFileSync(file, 'utf8'), {});
  const page = relative(root, file);
  const blocks = [];
  let markers = new Map();
  for (const token of tokens) {
    const comment = token.type === 'html_block' ? MARKER.exec(token.content.trim()) : null;
    if (comment) markers.set(comment[1], comment[2]);
    else if (token.type === 'fence') {
      const language = token.info.trim().split(/\s/)[0];
      blocks.push({ page, line: token.map[0] + 1, language, code: token.content, markers });
      markers = new Map();
    } else if (markers.size > 0) {
      throw new Error(`${page}: a marker stands before what is no block of code`);
    }
  }
  return blocks;
}

/** Of all pages that users read to use the package. */
export const allBlocks = (pages) => pages.flatMap((page) => blocksOf(join(root, page)));
