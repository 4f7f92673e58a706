import type { ConnectionOwner, ErrorName } from '../port/contract';

/** Owns a connection of which little is wanted: a subclass overrides the reports it waits for. */
export abstract class SilentOwner implements ConnectionOwner {
  abstract readonly shownAs: object;

  onConnect(_error: ErrorName | null): void {}

  /** Drops what arrives, and has reading stopped. */
  onData(_chunk: Buffer): boolean {
    return false;
  }

  onEnd(): void {}

  onReadError(_error: ErrorName): void {}

  onWriteError(_error: ErrorName): void {}

  onClose(): void {}
}
