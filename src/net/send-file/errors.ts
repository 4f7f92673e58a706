/** The errors of `sendFile()`, in the shape of Node's. */
import { format } from 'node:util';
import { codedError } from '../node/errors';

/** What `AbortSignal` ends. */
export const aborted = (cause: unknown): Error =>
  Object.assign(new Error('The operation was aborted', { cause }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });

export const streamDestroyed = (name: string): Error =>
  codedError(Error, 'ERR_STREAM_DESTROYED', `Cannot call ${name} after a stream was destroyed`);

export const writeAfterEnd = (): Error =>
  codedError(Error, 'ERR_STREAM_WRITE_AFTER_END', 'write after end');

export const invalidValue = (name: string, reason: string, value: unknown): Error =>
  codedError(
    TypeError,
    'ERR_INVALID_ARG_VALUE',
    format("The argument '%s' %s. Received %o", name, reason, value),
  );

/** A file has not the bytes that were to be sent. */
export const fileEnded = (sent: number, wanted: number): Error =>
  codedError(
    Error,
    'ERR_IOCP_NET_FILE_ENDED',
    `The file ended after ${sent} of the ${wanted} bytes that were to be sent`,
  );
