/** The commands by name. Each is loaded when it is run, or when somebody asks what there is. */
import type { Command } from './command';

export const commands: ReadonlyMap<string, () => Promise<{ command: Command }>> = new Map([
  ['doctor', () => import('./doctor.js')],
  ['bench', () => import('./bench.js')],
  ['build', () => import('./build.js')],
  ['serve', () => import('./serve.js')],
  ['top', () => import('./top.js')],
]);
