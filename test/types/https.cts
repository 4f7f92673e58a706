import ours = require('iocp-net/https');
import nodes = require('node:https');

type Shared = keyof typeof ours & keyof typeof nodes;

export const asOurs: Pick<typeof ours, Shared> = nodes;
export const missing: Exclude<keyof typeof nodes, keyof typeof ours> extends never ? true : never =
  true;
export const server: nodes.Server = ours.createServer({}, (request, response) => {
  response.end(request.url);
});
