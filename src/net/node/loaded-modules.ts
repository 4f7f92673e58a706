/** Which modules of Node's this process has loaded: those that nobody asked for stay unloaded. */

const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };

/** Whether Node has loaded a module of its own, by its name within Node; true where that cannot be told. */
export function isLoaded(name: string): boolean {
  return moduleLoadList?.includes(`NativeModule ${name}`) ?? true;
}
