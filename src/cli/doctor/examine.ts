/** Brings all findings together. */
import { packageVersion } from '../../environment';
import { adviceFor } from './advice';
import { backendFindings, binaryFindings } from './backends';
import type { BackendFindings, Findings, HelperFindings, SystemFindings } from './findings';
import { proofFindings } from './proof';
import { limitFindings, runtimeFindings, systemFindings } from './system';

export { reportLines } from './report';

function helperFindings({ serving }: BackendFindings, { cores }: SystemFindings): HelperFindings {
  if (serving === null || serving === 'node') return { possible: false, reason: 'no core runs' };
  if (serving === 'io_uring') {
    return { possible: false, reason: 'an io_uring belongs to the thread that opened it' };
  }
  const away = 'it drives while JavaScript is away from the event loop for some milliseconds';
  if (cores === 1) {
    return { possible: true, reason: `${away}; with one core never beside JavaScript` };
  }
  return { possible: true, reason: `${away}, or is saturated and one of ${cores} cores is free` };
}

export async function examine(): Promise<Findings> {
  // That node:net serves is said in the report, and need not be said on stderr as well.
  process.removeAllListeners('warning');
  const system = systemFindings();
  const backend = backendFindings(system);
  const notStarted = { echoed: false, onCore: false, bytes: 0, milliseconds: 0 };
  const found = {
    version: packageVersion(),
    backend,
    binary: binaryFindings(),
    runtime: runtimeFindings(),
    system,
    limits: limitFindings(),
    helper: helperFindings(backend, system),
    proof:
      backend.serving === null ? { ...notStarted, error: backend.reason } : await proofFindings(),
  };
  const ok = found.proof.echoed && found.proof.onCore;
  return { ok, ...found, advice: adviceFor(found) };
}
