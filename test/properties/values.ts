/** Values that JavaScript programs pass where something else was expected. */
import fc from 'fast-check';

/** Shown by its name where a test fails. */
function named<Value extends object>(name: string, value: Value): Value {
  Object.defineProperty(value, fc.toStringMethod, { value: () => name });
  return value;
}

const throwing = (): never => {
  throw new Error('a getter that throws');
};

const objects = [
  named('{}', {}),
  named('null-prototype object', Object.create(null) as object),
  named('object with throwing getters', {
    get port(): number {
      return throwing();
    },
    get path(): string {
      return throwing();
    },
    get enable(): boolean {
      return throwing();
    },
    get initialDelay(): number {
      return throwing();
    },
    get length(): number {
      return throwing();
    },
    toString: throwing,
    valueOf: throwing,
  }),
  named('valueOf 1', { valueOf: () => 1 }),
  named('toString "1"', { toString: () => '1' }),
  named('proxy', new Proxy({}, {})),
  Object.freeze(named('frozen', [])),
  named('new Number(1)', new Number(1)),
  named('new String("utf8")', new String('utf8')),
  named('new Date(0)', new Date(0)),
  named('new Map()', new Map()),
  named('function', () => {}),
  named('class', class {}),
  named('[]', []),
  named('[1]', [1]),
  named("['utf8']", ['utf8']),
  named('[[]]', [[]]),
  named('Promise', Promise.resolve(1)),
];

const numbers = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, NaN, Infinity, -Infinity, 999, 1000, 1001, 2999, 65535, 65536],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32],
  ...[2 ** 32 * 1000, 2 ** 53 - 1, 2 ** 53, Number.MIN_VALUE, Number.MAX_VALUE, 1e-7, 1e21],
];

const texts = [
  ...['', ' ', '0', '1', '-1', '1.5', '0x10', '0b1', '0o7', '1e3', 'NaN', 'Infinity', '65536'],
  ...[' 16 ', '016', '+16', '16\n', '1_000', '１', 'true', 'null', 'undefined', '\0', 'x\0y'],
];

/** Any number, the ones at the edges more often. */
export const anyNumber = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...numbers) },
  fc.double(),
  fc.integer(),
);

/** Strings that might be numbers. */
export const numberText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...texts) },
  fc.string({ unit: fc.constantFrom(...'0123456789xXeE+-_ n'), maxLength: 6 }),
);

export const anyObject = fc.constantFrom<unknown>(...objects);

const others = fc.constantFrom<unknown>(
  ...[undefined, null, true, false, Symbol('s'), Symbol.iterator, 0n, 1n, -1n, 2n ** 64n],
);

/** Anything at all; strings among it look like numbers, and name nothing. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(anyNumber, numberText, anyObject, others);

/** What somebody who knows what is wanted would pass; now and then anything else. */
export const mostly = <Value>(...usual: readonly Value[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...usual) }, { weight: 2, arbitrary: anyValue });

/** Some of these members, each with a value of its own kind. */
export const someOf = (members: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(members, { requiredKeys: [] }) as fc.Arbitrary<Record<string, unknown>>;
