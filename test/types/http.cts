import ours = require('iocp-net/http');
import nodes = require('node:http');

type Shared = keyof typeof ours & keyof typeof nodes;

export const asOurs: Pick<typeof ours, Shared> = nodes;
export const missing: Exclude<keyof typeof nodes, keyof typeof ours> extends never ? true : never =
  true;
export const server: nodes.Server = ours.createServer((request, response) => {
  response.end(request.url);
});
