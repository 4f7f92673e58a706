/** A connection between its accept and the first object that is made for it. */
import type { Arrival, Endpoint, ErrorName, SocketKind } from './contract';
import type { Port } from './port';

/** One for all connections of a transport, one after the other. */
export class ArrivedConnection implements Arrival {
  kind: SocketKind = 'tcp';
  isClosed = true;
  #port: Port | null = null;
  #id = 0;

  /** Means this one from now on. */
  set(port: Port, id: number, kind: SocketKind): void {
    this.#port = port;
    this.#id = id;
    this.kind = kind;
    this.isClosed = false;
  }

  #openPort(): Port | null {
    return this.isClosed ? null : this.#port;
  }

  localEndpoint(): Endpoint | ErrorName {
    return this.#openPort()?.native.localAddress(this.#id) ?? 'EBADF';
  }

  peerEndpoint(): Endpoint | ErrorName {
    return this.#openPort()?.native.peerAddress(this.#id) ?? 'EBADF';
  }

  /** The completions of closing find nobody, which is right. */
  close(reset: boolean): void {
    const port = this.#openPort();
    if (port === null) return;
    this.isClosed = true;
    const { opcodes, closeReset } = port.context.layout;
    port.submitNow(opcodes.close, reset ? closeReset : 0, this.#id);
  }
}
