// The packages of test/programs, installed where they are missing or out of date.
import { join } from 'node:path';
import { root } from './gyp.mjs';
import { installPackages } from './npm-packages.mjs';

/** Before anything of test/programs is imported. */
export const installProgramPackages = () => installPackages(join(root, 'test/programs'));
