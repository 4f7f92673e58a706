/**
 * What `iocp-net doctor` finds out: the object that `--json` prints. Names stay; new ones may come.
 * What a system does not tell is null.
 */
import type { Backend } from '../../engine-options';

export interface Candidate {
  readonly name: string;
  readonly usable: boolean;
  /** Why it serves, or why not. */
  readonly reason: string;
}

export interface BackendFindings {
  /** Null where the engine does not start at all. */
  readonly serving: Backend | null;
  /** What `IOCP_NET_BACKEND` asks for. */
  readonly requested: string | null;
  readonly reason: string;
  readonly candidates: readonly Candidate[];
  /** Whether an io_uring beside epoll makes the sends of a turn by one call; null: it will show. */
  readonly sendsTogether: boolean | null;
}

export interface BinaryFindings {
  readonly path: string | null;
  readonly kind: 'local build' | 'prebuilt' | 'IOCP_NET_PREBUILD' | 'beside node' | null;
  readonly error: string | null;
}

export interface RuntimeFindings {
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  readonly arch: string;
  /** `glibc 2.36`, or `musl`. */
  readonly libc: string | null;
}

export interface SystemFindings {
  readonly kernel: string;
  /** Those that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly container: string | null;
  /** Cores that the control group allows. */
  readonly cpuLimit: number | null;
  readonly memoryLimitBytes: number | null;
  /** Whether system calls are filtered. */
  readonly seccomp: boolean | null;
  /** `kernel.io_uring_disabled`. */
  readonly ioUringDisabled: number | null;
}

/** Null: not known here, or without a limit. */
export interface LimitFindings {
  readonly openFilesSoft: number | null;
  readonly openFilesHard: number | null;
  /** Connections that a listener of the system lets wait: `net.core.somaxconn`. */
  readonly listenBacklog: number | null;
  readonly lockedMemoryBytes: number | null;
  readonly ephemeralPortFirst: number | null;
  readonly ephemeralPortLast: number | null;
}

export interface HelperFindings {
  readonly possible: boolean;
  readonly reason: string;
}

export interface ProofFindings {
  /** A connection was made, and what was sent came back. */
  readonly echoed: boolean;
  /** Both of its ends were the core's. */
  readonly onCore: boolean;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly error: string | null;
}

export interface Advice {
  readonly what: string;
  readonly why: string;
  /** The command or the setting. */
  readonly how: string;
}

export interface Findings {
  /** Connections run on the core. */
  readonly ok: boolean;
  readonly version: string;
  readonly backend: BackendFindings;
  readonly binary: BinaryFindings;
  readonly runtime: RuntimeFindings;
  readonly system: SystemFindings;
  readonly limits: LimitFindings;
  readonly helper: HelperFindings;
  readonly proof: ProofFindings;
  readonly advice: readonly Advice[];
}
