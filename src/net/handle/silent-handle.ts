import * as nodeNet from '../node/node-net';

/** What Node hands to the connect() of a handle, which keeps it. */
export interface KeptRequest {
  address: string;
  port: number;
  oncomplete(
    status: number,
    handle: object,
    request: KeptRequest,
    readable: boolean,
    writable: boolean,
  ): void;
}

/** A handle of which Node asks nothing but to keep the request. */
export class SilentHandle {
  request: KeptRequest | undefined;
  /** What the socket wants to be called for what is read. */
  receiver: unknown;

  set onread(receiver: unknown) {
    // At its end a socket puts one in that does nothing.
    this.receiver ??= receiver;
  }

  connect(request: KeptRequest): number {
    this.request = request;
    return 0;
  }

  close(): void {}
}

export type SilentSocket = nodeNet.Socket & { connecting: boolean };

/** A socket of Node's own that never touches the network: for what only Node's code can do. */
export function silentSocket(handle: SilentHandle): SilentSocket {
  // Node copies these to an object with a prototype.
  const absent = { fd: undefined, signal: undefined, onread: undefined, objectMode: undefined };
  const options: object = { ...absent, handle, readable: false, writable: false };
  return new nodeNet.Socket(options);
}
