/** The named fields of a header, beside its length. */
import { checkInteger } from '../check-integer';
import { invalidValue } from '../invalid-value';
import { has } from '../net/bare';
import { invalidType, outOfRange } from '../node-argument-errors';
import { ownCopy } from './codec';
import { numberTypes } from './number-types';
import type { Endianness, NumberType, NumberTypeName } from './number-types';

/** A number, or so many bytes as they are. */
export type FieldType = NumberTypeName | { readonly bytes: number };

/** Names and types, in the order in which they stand in the header. */
export type Fields = Readonly<Record<string, FieldType>>;

/** `uint64` and `int64` are bigints. Bytes are a Buffer of their own memory. */
export type FieldValue<Type> = Type extends 'uint64' | 'int64'
  ? bigint
  : Type extends NumberTypeName
    ? number
    : Buffer;
/** Bytes may be of any Uint8Array. */
export type SentFieldValue<Type> = Type extends NumberTypeName ? FieldValue<Type> : Uint8Array;

/** A header has a few fields; more is a mistake, or an attempt to have all memory taken. */
const mostFieldBytes = 65_536;

export interface Field {
  readonly name: string;
  /** From the start of the header. */
  readonly at: number;
  readonly bytes: number;
  read(header: Buffer, at: number): unknown;
  /** Throws where the value does not fit. */
  write(header: Buffer, at: number, value: unknown): void;
}

function checkNumber(name: string, value: unknown, { range, bytes }: NumberType): void {
  const wanted = typeof (range?.[0] ?? 0);
  if (typeof value !== wanted) throw invalidType(name, wanted, value);
  if (range === null) return;
  const number = value as number;
  if (wanted === 'number' && !Number.isInteger(number))
    throw outOfRange(name, 'an integer', number);
  const [least, most] = range;
  if (number >= least && number <= most) return;
  throw outOfRange(name, `>= ${least} && <= ${most} (${bytes} bytes)`, number);
}

function numberField(name: string, at: number, type: NumberType, order: Endianness): Field {
  const { bytes } = type;
  const { [order]: read } = type.read;
  const { [order]: write } = type.write as Record<Endianness, (...args: unknown[]) => number>;
  return {
    name,
    at,
    bytes,
    read: (header, start) => read.call(header, start + at, bytes),
    write: (header, start, value) => {
      checkNumber(`frame.${name}`, value, type);
      write.call(header, value, start + at, bytes);
    },
  };
}

function bytesField(name: string, at: number, bytes: number): Field {
  return {
    name,
    at,
    bytes,
    read: (header, start) => ownCopy(header.subarray(start + at, start + at + bytes)),
    write: (header, start, value) => {
      if (!(value instanceof Uint8Array)) {
        throw invalidType(`frame.${name}`, 'Uint8Array', value);
      }
      if (value.length !== bytes) {
        throw outOfRange(`frame.${name}.length`, `${bytes}`, value.length);
      }
      header.set(value, start + at);
    },
  };
}

const reserved = new Set(['payload', '__proto__']);
/** The language puts such names first, whatever their place, so that the order would be lost. */
const isIndex = /^(?:0|[1-9]\d*)$/;

function checkName(path: string, name: string): void {
  if (reserved.has(name)) throw invalidValue(path, name, 'a field may not have this name');
  if (isIndex.test(name)) throw invalidValue(path, name, 'the name of a field is no number');
}

/** The fields of one side of the length; `at` is where the first begins. */
export function fieldsAt(path: string, given: unknown, at: number, order: Endianness): Field[] {
  if (given === undefined) return [];
  if (typeof given !== 'object' || given === null) throw invalidType(path, 'object', given);
  const fields: Field[] = [];
  for (const [name, type] of Object.entries(given as Fields)) {
    checkName(path, name);
    const place = `${path}.${name}`;
    if (typeof type === 'string' && has(numberTypes, type)) {
      fields.push(numberField(name, at, numberTypes[type] as NumberType, order));
    } else if (typeof type === 'object' && type !== null) {
      checkInteger(`${place}.bytes`, type.bytes, [1, mostFieldBytes]);
      fields.push(bytesField(name, at, type.bytes));
    } else {
      throw invalidValue(place, type, `it is none of ${Object.keys(numberTypes).join(', ')}`);
    }
    at += fields.at(-1)!.bytes;
  }
  return fields;
}
