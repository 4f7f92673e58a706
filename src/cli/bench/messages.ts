/** What the processes of `iocp-net bench` tell each other. */
export type ServerKind = 'echo' | 'http';

/** CPU time of a server since it began, all threads, user and kernel. */
export interface Usage {
  readonly micros: number;
}

/** What a load has counted in its window. */
export interface LoadResult {
  readonly messages: number;
  readonly seconds: number;
  /** Requests that failed: none is among the messages. */
  readonly failed: number;
  /** This and the next in microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** What an HTTP load is to do. */
export interface HttpLoad {
  readonly url: string;
  readonly connections: number;
  /** Requests under way on one connection. Beyond 1 by autocannon only. */
  readonly pipelining: number;
  readonly warmMs: number;
  readonly windowMs: number;
  /** The module, where there is one. */
  readonly autocannon?: string;
}
