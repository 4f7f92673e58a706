/** The bytes that one end of a connection has sent, or is to have sent, in order. */
export class ByteLog {
  #bytes = Buffer.alloc(1024);
  length = 0;

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) {
      const larger = Buffer.alloc(2 * (this.length + bytes.length));
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Whether these are the ones from `at` on. */
  holds(bytes: Uint8Array, at: number): boolean {
    if (at + bytes.length > this.length) return false;
    return this.#bytes.subarray(at, at + bytes.length).equals(bytes);
  }
}
