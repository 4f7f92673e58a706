/** Which modules of Node's this process has loaded: those that nobody asked for stay unloaded. */

const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };

/** How long the list was when a name was looked for in vain; it only grows. */
const lookedThrough = new Map<string, number>();

/** Whether Node has loaded a module of its own, by its name within Node; true where that cannot be told. */
export function isLoaded(name: string): boolean {
  if (moduleLoadList === undefined) return true;
  const { length } = moduleLoadList;
  const from = lookedThrough.get(name) ?? 0;
  if (from === Infinity) return true;
  if (from === length) return false;
  const isThere = moduleLoadList.includes(`NativeModule ${name}`, from);
  lookedThrough.set(name, isThere ? Infinity : length);
  return isThere;
}
