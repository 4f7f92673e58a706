/** What would make it run, run faster or run more safely. One row for each thing that can be found. */
import { MIB } from '../../engine-options';
import { isOlder } from './backends';
import type { Advice, Findings } from './findings';

type Found = Omit<Findings, 'ok' | 'advice'>;

interface Rule extends Advice {
  applies(found: Found): boolean;
}

const MANY_FILES = 65_536;
const DEEP_BACKLOG = 1024;
const MANY_PORTS = 16_384;
const LITTLE_MEMORY = 256 * MIB;

const isCore = ({ backend }: Found): boolean =>
  backend.serving !== null && backend.serving !== 'node';

const wantsRing = (found: Found): boolean =>
  found.backend.serving === 'epoll' &&
  found.backend.requested === null &&
  found.backend.sendsTogether === false;

const rules: readonly Rule[] = [
  {
    applies: ({ binary, runtime }) => binary.error !== null && runtime.name === 'node',
    what: 'there is no binary that loads',
    why: 'without it node:net serves',
    how: 'on Linux npx iocp-net build; docs/troubleshooting.md lists the binaries of the package',
  },
  {
    applies: ({ runtime }) => runtime.name === 'bun' || runtime.name === 'deno',
    what: 'this is not Node',
    why: "the core stands on Node's event loop",
    how: 'run the program with node',
  },
  {
    applies: (found) => found.backend.requested !== null && !isCore(found),
    what: 'IOCP_NET_BACKEND keeps the core from serving',
    why: 'it asks for node:net, or for what cannot be had here',
    how: 'unset IOCP_NET_BACKEND',
  },
  {
    applies: ({ backend }) => backend.requested === 'epoll' && backend.serving === 'epoll',
    what: 'epoll was asked for by name',
    why: 'then no io_uring makes the sends of a turn by one call',
    how: 'unset IOCP_NET_BACKEND, unless no io_uring is wanted',
  },
  {
    applies: ({ binary }) => binary.kind === 'IOCP_NET_PREBUILD',
    what: 'the binary comes from the folder that IOCP_NET_PREBUILD names',
    why: 'whoever can write there, or set the variable, runs code in the process',
    how: 'unset IOCP_NET_PREBUILD, or see who may write to that folder',
  },
  {
    applies: (found) => wantsRing(found) && (found.system.ioUringDisabled ?? 0) > 0,
    what: 'the kernel forbids io_uring',
    why: 'each send is a call of its own: 5 to 15 % more CPU time with many busy connections',
    how: 'sysctl -w kernel.io_uring_disabled=0, if your rules for the host allow it',
  },
  {
    applies: (found) =>
      wantsRing(found) && !found.system.ioUringDisabled && found.system.seccomp === true,
    what: 'a seccomp filter forbids io_uring',
    why: 'each send is a call of its own: 5 to 15 % more CPU time with many busy connections',
    how: "allow io_uring_setup, io_uring_enter and io_uring_register in the container's profile, if your rules allow it",
  },
  {
    applies: (found) => wantsRing(found) && isOlder(found.system.kernel, [5, 18]),
    what: 'the kernel is older than 5.18',
    why: 'no io_uring makes the sends of a turn by one call',
    how: 'a newer kernel',
  },
  {
    applies: ({ limits }) => limits.openFilesHard !== null && limits.openFilesHard < MANY_FILES,
    what: 'few files may be open',
    why: 'each connection is one; without any left clients are turned away',
    how: `ulimit -Hn ${MANY_FILES}, LimitNOFILE=${MANY_FILES} in a systemd unit, or docker run --ulimit nofile=${MANY_FILES}`,
  },
  {
    applies: ({ limits }) => limits.listenBacklog !== null && limits.listenBacklog < DEEP_BACKLOG,
    what: 'few connections may wait to be accepted',
    why: 'when many clients come at once, some have to try again after a second',
    how: `sysctl -w net.core.somaxconn=${4 * DEEP_BACKLOG}, and listen({ backlog: ${4 * DEEP_BACKLOG} })`,
  },
  {
    applies: ({ limits: { ephemeralPortFirst: first, ephemeralPortLast: last } }) =>
      first !== null && last !== null && last - first < MANY_PORTS,
    what: 'there are few ports for connections to one server',
    why: 'a proxy or a client with many connections runs out of them (EADDRNOTAVAIL)',
    how: 'sysctl -w net.ipv4.ip_local_port_range="16384 65535"',
  },
  {
    applies: (found) =>
      isCore(found) && Math.min(found.system.cores, found.system.cpuLimit ?? Infinity) <= 1,
    what: 'there is no more than one core',
    why: 'the helper has none of its own, and can only take time from JavaScript',
    how: "engine.configure({ helper: 'never' }) if JavaScript seldom blocks; or more cores",
  },
  {
    applies: ({ system }) =>
      system.memoryLimitBytes !== null && system.memoryLimitBytes < LITTLE_MEMORY,
    what: 'the control group allows little memory',
    why: 'received data that waits may take up to 16 MiB for each thread of JavaScript',
    how: `engine.configure({ receiveBytes: ${4 * MIB}, sendBytes: ${MIB} })`,
  },
];

export function adviceFor(found: Found): Advice[] {
  return rules
    .filter(({ applies }) => applies(found))
    .map(({ what, why, how }) => ({ what, why, how }));
}
