/** The options of `connect()`, and whether Node would take them. */
import * as nodeNet from '../node/node-net';
import { bare } from '../bare';
import { nodeSocket } from '../node/internals';
import { SilentHandle, silentSocket } from '../handle/silent-handle';

/** The options of `connect()`, before anything was checked. */
export interface ConnectOptions {
  port?: unknown;
  path?: unknown;
  host?: string;
  localAddress?: string;
  localPort?: number;
  family?: number | 'IPv4' | 'IPv6';
  hints?: number;
  lookup?: LookupFunction | null;
  autoSelectFamily?: boolean | null;
  autoSelectFamilyAttemptTimeout?: number | null;
}

export interface LookupSettings {
  family: number | undefined;
  hints: number;
  all?: boolean;
}

export type LookupFunction = (
  host: string,
  settings: LookupSettings,
  callback: (error: Error | null, ...result: unknown[]) => void,
) => void;

export const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const isPort = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isInteger(value) && value >= 0 && value <= 65535
    : typeof value === 'string' && /^\d{1,5}$/.test(value) && Number(value) <= 65535;

const isPositiveInt32 = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 0x7fffffff;

const isHost = (value: unknown): boolean =>
  isAbsent(value) || (typeof value === 'string' && !value.includes('\0'));

function isPlainlyValid(options: ConnectOptions): boolean {
  if (options.path) return typeof options.path === 'string';
  return (
    isPort(options.port) &&
    isHost(options.host) &&
    (!options.localAddress || nodeNet.isIP(options.localAddress) !== 0) &&
    (!options.localPort || typeof options.localPort === 'number') &&
    (isAbsent(options.autoSelectFamily) || typeof options.autoSelectFamily === 'boolean') &&
    (isAbsent(options.autoSelectFamilyAttemptTimeout) ||
      isPositiveInt32(options.autoSelectFamilyAttemptTimeout)) &&
    (isAbsent(options.lookup) || typeof options.lookup === 'function')
  );
}

/**
 * Throws what Node throws for these options. Only Node knows that in each of its versions, so what
 * is not plainly valid is tried on a socket of Node's, which never gets as far as connecting.
 */
export function validate(options: ConnectOptions): void {
  if (isPlainlyValid(options)) return;
  const scratch = silentSocket(new SilentHandle());
  scratch.on('error', () => {});
  const unanswered = isAbsent(options.lookup) || typeof options.lookup === 'function';
  const asked = unanswered
    ? (Object.create(options, bare({ lookup: bare({ value: () => {} }) })) as ConnectOptions)
    : options;
  try {
    (nodeSocket.connect as (options: object) => void).call(scratch, asked);
  } finally {
    scratch.destroy();
  }
}
