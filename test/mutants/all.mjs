// All mutations, and how one is made.
import { binding } from './binding.mjs';
import { core } from './core.mjs';
import { framing } from './framing.mjs';
import { sendFile } from './send-file.mjs';
import { simulation } from './simulation.mjs';
import { typescript } from './typescript.mjs';

export const mutants = [...core, ...binding, ...typescript, ...framing, ...sendFile, ...simulation];

/** The text with the mutation made; a reason where that cannot be. */
export function mutated({ before, after }, text) {
  const places = text.split(before).length - 1;
  if (places !== 1) return { reason: `its text is in the file ${places} times` };
  return { text: text.replace(before, () => after) };
}
