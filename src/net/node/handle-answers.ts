/** What methods of Node's native handles answer: 0 or an error's number, which is negative. */
import type { Endpoint, ErrorName } from '../../port/contract';
import { errnoOf } from './errors';

export const statusOf = (error: ErrorName | null): number => (error === null ? 0 : errnoOf(error));

/** As `getsockname(out)` and `getpeername(out)` have it. */
export function endpointInto(out: object, endpoint: Endpoint | ErrorName): number {
  if (typeof endpoint === 'string') return errnoOf(endpoint);
  Object.assign(out, endpoint);
  return 0;
}
