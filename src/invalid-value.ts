/** `ERR_INVALID_ARG_VALUE`, for what is asked of us by options and environment variables. */
export function invalidValue(name: string, value: unknown, reason: string): Error {
  const error = new RangeError(
    `The property '${name}' is invalid: ${reason}. Received ${String(value)}`,
  );
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
}
