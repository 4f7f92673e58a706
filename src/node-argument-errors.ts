/** What Node says of bad options, for options of ours beside Node's. */
import { showCode } from './show-code';

/** How Node's messages describe a value of the wrong type. */
function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${value}`;
  const { inspect } = process.getBuiltinModule('node:util');
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const { name = '' } = (value.constructor ?? {}) as { name?: string };
    return name === ''
      ? `Received ${inspect(value, { depth: -1 })}`
      : `Received an instance of ${name}`;
  }
  const shorten = (text: string): string => (text.length > 28 ? `${text.slice(0, 25)}...` : text);
  const shown = typeof value === 'string' ? inspect(shorten(value)) : shorten(inspect(value));
  return `Received type ${typeof value} (${shown})`;
}

function coded<Coded extends Error>(error: Coded, code: string): Coded {
  showCode(error, code);
  return Object.assign(error, { code });
}

/** Node's `ERR_INVALID_ARG_TYPE`: for a property where the name has a dot, else for an argument. */
export function invalidType(name: string, type: string, value: unknown): TypeError {
  const what = name.includes('.') ? 'property' : 'argument';
  const error = new TypeError(`The "${name}" ${what} must be of type ${type}. ${received(value)}`);
  return coded(error, 'ERR_INVALID_ARG_TYPE');
}

/** Node groups the digits of large integers in this message. */
function digits(value: number | bigint): string {
  const isBigInt = typeof value === 'bigint';
  const isLong = isBigInt
    ? value > 2n ** 32n || value < -(2n ** 32n)
    : Number.isInteger(value) && Math.abs(value) > 2 ** 32;
  const text = isLong ? String(value).replace(/\B(?=(\d{3})+$)/g, '_') : String(value);
  return isBigInt ? `${text}n` : text;
}

/** Node's `ERR_OUT_OF_RANGE`. */
export function outOfRange(name: string, range: string, value: number | bigint): RangeError {
  const error = new RangeError(
    `The value of "${name}" is out of range. It must be ${range}. Received ${digits(value)}`,
  );
  return coded(error, 'ERR_OUT_OF_RANGE');
}

/** Node's `ERR_INVALID_ARG_VALUE` for what is none of these. */
export function notOneOf(name: string, value: unknown, allowed: readonly string[]): TypeError {
  const { inspect } = process.getBuiltinModule('node:util');
  const shown = inspect(value);
  const error = new TypeError(
    `The ${name.includes('.') ? 'property' : 'argument'} '${name}' must be one of: ` +
      `${allowed.map((each) => `'${each}'`).join(', ')}. ` +
      `Received ${shown.length > 128 ? `${shown.slice(0, 128)}...` : shown}`,
  );
  return coded(error, 'ERR_INVALID_ARG_VALUE');
}
