/** The findings for people. */
import { showBytes } from '../table';
import type { Findings } from './findings';

const LABEL_WIDTH = 12;

const line = (label: string, text: string): string => `${label.padEnd(LABEL_WIDTH)}${text}`;
const known = (value: number | null, show: (value: number) => string = String): string =>
  value === null ? 'no limit, or not known' : show(value);

function backendLines({ backend }: Findings): string[] {
  const { serving, reason, candidates, sendsTogether } = backend;
  const lines = [line('backend', `${serving ?? 'none'}: ${reason}`)];
  for (const { name, usable, reason: why } of candidates) {
    const state = name === serving ? 'serves' : usable ? 'usable' : 'not usable';
    lines.push(line('', `${name}: ${state}; ${why}`));
  }
  if (serving === 'epoll') {
    const answer = { true: 'yes', false: 'no', null: 'if the kernel can' }[`${sendsTogether}`];
    lines.push(line('', `the sends of a turn by one call of an io_uring: ${answer}`));
  }
  return lines;
}

function binaryLine({ binary: { path, kind, error } }: Findings): string {
  const where = path === null ? 'none' : `${path} (${kind})`;
  return line('binary', error === null ? where : `${where}: ${error}`);
}

function systemLines({ system, limits }: Findings): string[] {
  const { kernel, cores, memoryBytes, container, cpuLimit, memoryLimitBytes } = system;
  const lines = [
    line('system', `${process.platform} ${kernel}, ${cores} cores, ${showBytes(memoryBytes)}`),
  ];
  if (process.platform !== 'linux') return lines;
  const { ephemeralPortFirst: first, ephemeralPortLast: last } = limits;
  return [
    ...lines,
    line(
      'container',
      `${container ?? 'none'}${system.seccomp ? ', system calls are filtered' : ''}`,
    ),
    line('', `CPU limit: ${known(cpuLimit, (value) => `${value} cores`)}`),
    line('', `memory limit: ${known(memoryLimitBytes, showBytes)}`),
    line(
      'limits',
      `open files: ${known(limits.openFilesSoft)}, at most ${known(limits.openFilesHard)}`,
    ),
    line('', `connections that wait at a listener (somaxconn): ${known(limits.listenBacklog)}`),
    line(
      '',
      `ports for outgoing connections: ${first === null ? 'not known' : `${first} to ${last}`}`,
    ),
    line('', `locked memory: ${known(limits.lockedMemoryBytes, showBytes)}`),
  ];
}

function proofLine({ proof }: Findings): string {
  if (proof.error !== null) return line('proof', `failed: ${proof.error}`);
  const where = proof.onCore ? 'on the core at both ends' : 'not on the core';
  const text = `${proof.bytes} bytes over loopback and back in ${proof.milliseconds} ms, ${where}`;
  return line('proof', text);
}

export function reportLines(found: Findings): string[] {
  const { runtime, helper, advice } = found;
  return [
    line('iocp-net', found.version),
    line(
      'runtime',
      `${runtime.name} ${runtime.version}, ${runtime.platform} ${runtime.arch}${runtime.libc ? `, ${runtime.libc}` : ''}`,
    ),
    binaryLine(found),
    ...backendLines(found),
    line('helper', `${helper.possible ? 'yes' : 'no'}: ${helper.reason}`),
    ...systemLines(found),
    proofLine(found),
    '',
    found.ok
      ? 'Connections run on the core.'
      : 'Connections do not run on the core: node:net serves.',
    ...advice.flatMap(({ what, why, how }) => ['', `- ${what}: ${why}.`, `  ${how}`]),
  ];
}
