import ours = require('iocp-net/http2');
import nodes = require('node:http2');

type Shared = keyof typeof ours & keyof typeof nodes;

export const asOurs: Pick<typeof ours, Shared> = nodes;
export const missing: Exclude<keyof typeof nodes, keyof typeof ours> extends never ? true : never =
  true;
export const session: nodes.ClientHttp2Session = ours.connect('http://localhost');
