// What @vercel/nft finds that a program needs, copied as it would be to where that is deployed.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';

/** @returns {Promise<string[]>} the files, relative to the project */
export async function trace(project, program, target) {
  const { fileList } = await nodeFileTrace([join(project, program)], { base: project });
  for (const file of fileList) cpSync(join(project, file), join(target, file));
  return [...fileList];
}
