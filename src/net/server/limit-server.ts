/** Gives a server the limits that its options ask for. */
import { core } from '../core';
import { has } from '../bare';

type LimitsModule = typeof import('./limits');
type NodeLimitsModule = typeof import('./limits-on-node');

// eslint-disable-next-line @typescript-eslint/no-require-imports -- few servers have limits
const limitsModule = (): LimitsModule => require('./limits') as LimitsModule;

const nodeLimitsModule = (): NodeLimitsModule =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- fewer still
  require('./limits-on-node') as NodeLimitsModule;

/** `options`: what the server's constructor was given. */
export function limitServer(server: object, options: unknown): void {
  if (typeof options !== 'object' || options === null || !has(options, 'limits')) return;
  const limited = limitsModule().limit(server, (options as { limits: unknown }).limits);
  if (limited !== null && core() === null) nodeLimitsModule().limitOnNode(server, limited);
}
