// Compiled, never run, against the types of each line of Node: scripts/check-types.mjs.
import ours = require('iocp-net');
import nodes = require('node:net');

type Shared = keyof typeof ours & keyof typeof nodes;

// What makes sockets: those of ours have a member more.
type Makers = 'connect' | 'createConnection' | 'createServer' | 'Server' | 'Socket' | 'Stream';

// Ours goes where Node's is wanted, and the other way round.
export const asNodes: typeof nodes = ours;
export const asOurs: Pick<typeof ours, Exclude<Shared, Makers>> = nodes;

// Every name of Node's is one of ours.
export const missing: Exclude<keyof typeof nodes, keyof typeof ours>[] = [] satisfies never[];

// So do what they make.
export const socket: nodes.Socket = new ours.Socket();
export const nodesSocket: ours.Socket = new nodes.Socket();
export const server: nodes.Server = ours.createServer({ noDelay: true }, (peer: nodes.Socket) => {
  peer.end();
});
export const nodesServer: ours.Server = nodes.createServer((peer: ours.Socket) => peer.end());

// The types that go with them have the same names.
export const options: ours.NetConnectOpts = {
  port: 1,
  host: 'localhost',
} satisfies nodes.TcpNetConnectOpts;
export const address: ours.AddressInfo | string | null = server.address();
export const list: nodes.BlockList = new ours.BlockList();
export const socketAddress: nodes.SocketAddress = new ours.SocketAddress({});

export class Subclass extends ours.Socket {
  override destroySoon(): void {
    super.destroySoon();
  }
}

export function narrow(value: unknown): number | undefined {
  return value instanceof ours.Socket ? value.bytesRead : undefined;
}
