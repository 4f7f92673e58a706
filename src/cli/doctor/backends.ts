/** Which backend serves, and what each of them says when it is asked. */
import { engine } from '../../engine';
import type { Backend } from '../../engine-options';
import { environment } from '../../environment';
import { loadAddon } from '../../port/addon';
import type { Binding } from '../../port/binding';
import { lackOfRuntime } from '../../runtime';
import type { BackendFindings, BinaryFindings, Candidate, SystemFindings } from './findings';

/** From this on a ring has all that `io_uring` needs as the backend. */
const RING_KERNEL = [6, 1] as const;
/** From this on one may stand beside epoll. */
const SENDS_KERNEL = [5, 18] as const;

export function isOlder(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [itsMajor = 0, itsMinor = 0] = kernel.split('.').map((part) => parseInt(part, 10));
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

function kindOf(path: string): BinaryFindings['kind'] {
  if (process.env['IOCP_NET_PREBUILD']) return 'IOCP_NET_PREBUILD';
  if (/[\\/]build[\\/](?:Release|Debug)[\\/][^\\/]+$/.test(path)) return 'local build';
  return path.includes('iocp-net') ? 'prebuilt' : 'beside node';
}

/** What node-gyp-build says has several lines. */
const oneLine = (error: unknown): string => (error as Error).message.trim().replace(/\s+/g, ' ');

/** The command loads no other addon. */
const loadedFile = (): string | undefined =>
  Object.keys(require.cache).find((file) => file.endsWith('.node'));

export function binaryFindings(): BinaryFindings {
  try {
    loadAddon();
  } catch (error) {
    return { path: null, kind: null, error: oneLine(error) };
  }
  const path = loadedFile() ?? null;
  return { path, kind: path === null ? null : kindOf(path), error: null };
}

const needsRing = `needs Linux ${RING_KERNEL.join('.')} or newer`;

function refusalOf(refusal: string, { kernel, ioUringDisabled, seccomp }: SystemFindings): string {
  if (refusal === 'ENOSYS') return `ENOSYS: ${needsRing} with io_uring; this is ${kernel}`;
  if (refusal !== 'EPERM') return refusal;
  if (ioUringDisabled !== null && ioUringDisabled > 0) {
    return `EPERM: kernel.io_uring_disabled is ${ioUringDisabled}`;
  }
  return seccomp ? 'EPERM: a seccomp filter refuses it, as those of containers do' : 'EPERM';
}

function candidate(
  name: string,
  binding: Binding,
  system: SystemFindings,
  serving: Backend | null,
  requested: string | null,
): Candidate {
  const refusal = binding.probe(name);
  if (refusal !== null) return { name, usable: false, reason: refusalOf(refusal, system) };
  if (name === serving) {
    const reason = requested === name ? 'IOCP_NET_BACKEND asks for it' : 'the first that is usable';
    return { name, usable: true, reason };
  }
  if (requested !== null) {
    return { name, usable: true, reason: `IOCP_NET_BACKEND asks for ${requested}` };
  }
  return { name, usable: true, reason: `by request only: IOCP_NET_BACKEND=${name}` };
}

const OF_OTHER_SYSTEMS: Record<string, string> = {
  iocp: 'Windows',
  epoll: 'Linux',
  io_uring: 'Linux',
};

function candidates(
  system: SystemFindings,
  serving: Backend | null,
  requested: string | null,
): Candidate[] {
  let here: Candidate[] = [];
  let missing = lackOfRuntime();
  if (missing === null) {
    try {
      const binding = loadAddon();
      here = binding.backends().map((name) => candidate(name, binding, system, serving, requested));
      missing = `not on ${process.platform}`;
    } catch {
      missing = 'no binary';
    }
  }
  const others = Object.entries(OF_OTHER_SYSTEMS)
    .filter(([name]) => here.every((each) => each.name !== name))
    .map(([name, home]) => ({ name, usable: false, reason: `${missing} (it is for ${home})` }));
  return [...here, ...others];
}

function sendsTogether(
  serving: Backend | null,
  requested: string | null,
  all: readonly Candidate[],
  { kernel }: SystemFindings,
): boolean | null {
  if (serving !== 'epoll' || requested !== null) return false;
  const ring = all.find(({ name }) => name === 'io_uring');
  if (ring?.usable) return true;
  if (isOlder(kernel, SENDS_KERNEL) || !ring?.reason.startsWith('ENOSYS')) return false;
  return null; // too old for the one, not for the other; only the kernel knows
}

/** Starts the engine. */
function start(): { serving: Backend | null; reason: string } {
  try {
    const serving = engine.backend;
    if (serving !== 'node') return { serving, reason: 'the core serves' };
    const { fallbackReason } = environment();
    return { serving, reason: (fallbackReason ?? '').trim().replace(/\s+/g, ' ') };
  } catch (error) {
    return { serving: null, reason: oneLine(error) };
  }
}

export function backendFindings(system: SystemFindings): BackendFindings {
  const requested = process.env['IOCP_NET_BACKEND'] || null;
  const { serving, reason } = start();
  const all = candidates(system, serving, requested);
  return {
    serving,
    requested,
    reason,
    candidates: all,
    sendsTogether: sendsTogether(serving, requested, all, system),
  };
}
