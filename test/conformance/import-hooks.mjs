// The hooks of preload.cjs for a Node without `module.registerHooks`; runs in Node's hooks thread.
let settings;

export function initialize(data) {
  settings = data;
}

export function resolve(specifier, context, nextResolve) {
  const { replaced } = settings;
  const isReplaced = specifier === replaced || specifier === `node:${replaced}`;
  if (!isReplaced || context.parentURL?.startsWith(settings.inside)) {
    return nextResolve(specifier, context);
  }
  return { url: settings.url, format: 'module', shortCircuit: true };
}
