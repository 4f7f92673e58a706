/** The runtime, the machine and the limits of this process. */
import { existsSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { readNumber, readText } from '../read-text';
import { cpuLimit, memoryLimit } from './control-group';
import type { LimitFindings, RuntimeFindings, SystemFindings } from './findings';

function libc(): string | null {
  if (process.platform !== 'linux') return null;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const version = header?.glibcVersionRuntime;
  return version === undefined ? 'musl' : `glibc ${version}`;
}

export function runtimeFindings(): RuntimeFindings {
  const { bun, deno, electron, node } = process.versions;
  const others = Object.entries({ bun, deno, electron });
  const [name, version] = others.find(([, version]) => version !== undefined) ?? ['node', node];
  const { platform, arch } = process;
  return { name, version: version ?? node, platform, arch, libc: libc() };
}

function container(): string | null {
  if (process.platform !== 'linux') return null;
  if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) return 'kubernetes';
  if (existsSync('/run/.containerenv')) return 'podman';
  if (existsSync('/.dockerenv')) return 'docker';
  const named = /(?:^|\0)container=([^\0]+)/.exec(readText('/proc/1/environ') ?? '')?.[1];
  return named ?? (process.env['container'] || null);
}

/** The number behind a name in /proc/self/status. */
function statusNumber(name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readText('/proc/self/status') ?? '');
  return found === null ? null : Number(found[1]);
}

export function systemFindings(): SystemFindings {
  const seccomp = statusNumber('Seccomp');
  const memoryBytes = totalmem();
  return {
    kernel: release(),
    cores: availableParallelism(),
    memoryBytes,
    container: container(),
    cpuLimit: cpuLimit(),
    memoryLimitBytes: memoryLimit(memoryBytes),
    seccomp: seccomp === null ? null : seccomp > 0,
    ioUringDisabled: readNumber('/proc/sys/kernel/io_uring_disabled'),
  };
}

/** Soft and hard, by the name that the kernel has for them; null: none, or not told. */
function resourceLimit(name: string): [soft: number | null, hard: number | null] {
  const found = new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(
    readText('/proc/self/limits') ?? '',
  );
  const number = (text = ''): number | null => (/^\d+$/.test(text) ? Number(text) : null);
  return [number(found?.[1]), number(found?.[2])];
}

export function limitFindings(): LimitFindings {
  const [openFilesSoft, openFilesHard] = resourceLimit('Max open files');
  const [lockedMemoryBytes] = resourceLimit('Max locked memory');
  const ports = readText('/proc/sys/net/ipv4/ip_local_port_range')?.split(/\s+/).map(Number);
  return {
    openFilesSoft,
    openFilesHard,
    listenBacklog: readNumber('/proc/sys/net/core/somaxconn'),
    lockedMemoryBytes,
    ephemeralPortFirst: ports?.[0] ?? null,
    ephemeralPortLast: ports?.[1] ?? null,
  };
}
