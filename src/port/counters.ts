import type { Layout } from './binding';

/** Where the counters of one opcode stand among those of a port. */
export function operationCounters(
  { perOpcodeCounters }: Layout,
  opcode: number,
): { submitted: number; completed: number } {
  const submitted = perOpcodeCounters + 2 * opcode;
  return { submitted, completed: submitted + 1 };
}
