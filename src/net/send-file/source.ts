/** The file that is sent from: open for as long as that takes. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { outOfRange } from '../../node-argument-errors';
import { fileEnded, invalidValue } from './errors';
import type { Request } from './options';

const open = promisify(fs.open);

export interface OpenFile {
  readonly descriptor: number;
  readonly start: number;
  /** The first byte that is not sent. */
  readonly end: number;
  /** Closes what was opened here, without a wait. */
  close(): void;
}

/** By a plain call: of an open file the system knows it, and a thread would take ten times as long. */
function measure(descriptor: number, { file, start, end }: Request): number {
  const found = fs.fstatSync(descriptor);
  if (!found.isFile()) throw invalidValue('file', 'must be a regular file', file);
  if (end === null && start > found.size) {
    throw outOfRange('options.start', `<= ${found.size}, the size of the file`, start);
  }
  if (end !== null && end > found.size) throw fileEnded(0, end - start);
  return end ?? found.size;
}

/** Rejects with Node's errors, or where the file has not what is asked for. */
export async function openFile(request: Request): Promise<OpenFile> {
  const { origin, start } = request;
  const isOurs = 'path' in origin;
  const descriptor = isOurs ? await open(origin.path, 'r') : origin.descriptor;
  const close = (): void => {
    if (!isOurs) return;
    try {
      fs.closeSync(descriptor); // at once, as above
    } catch {
      // It was only read from: nothing can be lost.
    }
  };
  try {
    return { descriptor, start, end: measure(descriptor, request), close };
  } catch (error) {
    close();
    throw error;
  }
}
