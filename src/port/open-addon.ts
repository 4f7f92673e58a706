import type { Binding } from './binding';

/** By Node's own `require`: a bundle's knows only what is in the bundle. */
export function openAddon(file: string): Binding {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(file)(file) as Binding;
}
