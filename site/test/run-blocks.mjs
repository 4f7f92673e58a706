// Runs every block of code of the pages, two at a time.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as summary from '../../bench/summary-picture.mjs';
import * as threads from '../../bench/threads-picture.mjs';
import { files, isGenerated } from '../pages.mjs';
import { allBlocks, languages } from './blocks.mjs';
import { missingCommands } from './commands.mjs';
import { runPictures } from './pictures.mjs';
import { makeProject } from './project.mjs';
import { runJs } from './run-js.mjs';
import { checkJson, checkTs, runSh } from './run-others.mjs';

const runners = { js: runJs, ts: checkTs, sh: runSh, json: checkJson };

const pages = files.filter((file) => !isGenerated(file));

/** A block in no language is a picture or what is printed: nothing to run. */
const isCode = ({ language }) => language !== '';

async function runBlock(block, project, number) {
  const { language } = block;
  if (!languages.includes(language)) throw new Error(`no test knows the language ${language}`);
  await runners[language](block, { folder: project.folder, name: `block-${number}` });
}

/** @param {(page: string) => boolean} isWanted */
export async function runBlocks(report, isWanted) {
  const wanted = pages.filter(isWanted);
  for (const page of wanted) {
    await report.check(`${page} names commands that exist`, () => {
      const missing = missingCommands(page);
      if (missing.length > 0) throw new Error(`there is no ${missing.join(', no ')}`);
    });
  }
  for (const { picture, draw } of [summary, threads]) {
    await report.check(`docs/bench/${basename(picture)} shows its tables`, () => {
      if (readFileSync(picture, 'utf8') !== draw()) throw new Error('it is out of date');
    });
  }
  await runPictures(report);
  const blocks = allBlocks(wanted).filter(isCode);
  const left = blocks.filter(({ markers }) => markers.has('not run'));
  const queue = blocks.filter(({ markers }) => !markers.has('not run'));
  const project = makeProject();
  let number = 0;
  const work = async () => {
    for (let block = queue.shift(); block !== undefined; block = queue.shift()) {
      const { page, line, language } = block;
      const own = (number += 1);
      await report.check(`${page}:${line} (${language})`, () => runBlock(block, project, own));
    }
  };
  try {
    await Promise.all([work(), work()]);
  } finally {
    project.remove();
  }
  console.log(`# ${left.length} of ${blocks.length} blocks are not run:`);
  for (const { page, line, markers } of left) {
    console.log(`#   ${page}:${line}: ${markers.get('not run').replace(/\s+/g, ' ')}`);
  }
}
