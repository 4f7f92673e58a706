/** What the processes of `iocp-net bench` tell each other. */
export type ServerKind = 'echo' | 'http';

/** CPU time of a server since it began, all threads, user and kernel. */
export interface Usage {
  readonly micros: number;
}

export interface LoadResult {
  readonly messages: number;
  readonly seconds: number;
  /** Microseconds. */
  readonly p99: number;
}
