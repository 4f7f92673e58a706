/** Node's error for a stream that was closed before its end; Node keeps the making of it to itself. */
import { showCode } from '../show-code';

export function prematureClose(): Error {
  const code = 'ERR_STREAM_PREMATURE_CLOSE';
  const error = new Error('Premature close');
  showCode(error, code);
  return Object.assign(error, { code });
}
