/** What is alive on a port, by the id that the port gave it. */
export class Slots<T extends { readonly id: number }> {
  readonly #indexMask: number;
  /** By slot index; an entry counts only if its id matches. */
  readonly #latest: (T | undefined)[] = [];
  /**
   * Whoever drives frees a slot when it writes the last completion of its id. A connect or a listen
   * can take the slot before that completion is read: the one before waits here for it.
   */
  readonly #earlier = new Map<number, T>();

  constructor(indexMask: number) {
    this.#indexMask = indexMask;
  }

  add(entry: T): void {
    const index = entry.id & this.#indexMask;
    const before = this.#latest[index];
    if (before !== undefined) this.#earlier.set(before.id, before);
    this.#latest[index] = entry;
  }

  find(id: number): T | undefined {
    const entry = this.#latest[id & this.#indexMask];
    return entry !== undefined && entry.id === id ? entry : this.#earlier.get(id);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const entry of this.#latest) if (entry !== undefined) yield entry;
    yield* this.#earlier.values();
  }

  delete(id: number): void {
    const index = id & this.#indexMask;
    if (this.#latest[index]?.id === id) this.#latest[index] = undefined;
    else this.#earlier.delete(id);
  }
}
