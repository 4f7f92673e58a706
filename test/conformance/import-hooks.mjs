// The hooks of preload.cjs for a Node without `module.registerHooks`; runs in Node's hooks thread.
let settings;

export function initialize(data) {
  settings = data;
}

export function resolve(specifier, context, nextResolve) {
  const isNet = specifier === 'net' || specifier === 'node:net';
  if (!isNet || context.parentURL?.startsWith(settings.inside)) {
    return nextResolve(specifier, context);
  }
  return { url: settings.url, format: 'module', shortCircuit: true };
}
