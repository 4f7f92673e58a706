/** Who is told what goes against what `net` and TCP promise. Only the first counts. */
export interface Judge {
  /** `what` is the same for all that fail in the same way; `where` says what it was about. */
  violate(what: string, where: string): void;
  /** Into the record of what happened. */
  note(text: string, value?: number): void;
  /** Milliseconds of the simulated clock. */
  now(): number;
  /** Milliseconds of it that went by while JavaScript was busy: libuv's clock may be so much behind. */
  readonly busyMs: number;
  /** Whether calls of the system may fail. */
  readonly hasFaults: boolean;
}
