import { bare } from './net/bare';

/**
 * Lets the first line of an error's stack name the code, as Node's own errors have it. That line is
 * made from the name at the time at which it is first read.
 */
export function showCode(error: Error, code: string | undefined): void {
  // Where there is no message, V8 leaves out the colon, which Node's errors have.
  const value = `${error.name} [${code}]${error.message === '' ? ': ' : ''}`;
  Object.defineProperty(error, 'name', bare({ configurable: true, value }));
  void error.stack;
  delete (error as { name?: string }).name;
}
