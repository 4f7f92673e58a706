import ours = require('iocp-net/tls');
import nodes = require('node:tls');

type Shared = keyof typeof ours & keyof typeof nodes;

export const asOurs: Pick<typeof ours, Shared> = nodes;
export const missing: Exclude<keyof typeof nodes, keyof typeof ours> extends never ? true : never =
  true;
export const socket: nodes.TLSSocket = ours.connect({ port: 443 }, () => {});
