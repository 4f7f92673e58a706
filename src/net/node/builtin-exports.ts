/** A name that not every Node's module has; never where the types in use do not know it. */
export type NameOf<Module, Name extends PropertyKey> = Name extends keyof Module
  ? Module[Name]
  : never;

/** What a class that may be missing makes. */
export type InstanceOf<Class> = Class extends abstract new (...args: never[]) => infer Instance
  ? Instance
  : never;

/** Gives a module of ours the names that only the running Node's builtin has. */
export function addMissing(target: object, builtin: object): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(builtin))) {
    if (Object.hasOwn(target, name)) continue;
    // Getters and setters come along: some values are made at first use, or kept by Node.
    Object.defineProperty(target, name, { ...descriptor, configurable: true });
  }
}

/** Makes a setting that a builtin keeps in its exports one of a module of ours as well. */
export function shareSetting(target: object, builtin: object, name: string): void {
  const shared = builtin as Record<string, unknown>;
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    get: () => shared[name],
    set: (value: unknown) => void (shared[name] = value),
  });
}
