/** What is asked of a connection by plain calls, at once: its options and its addresses. */
import { errorName } from './binding';
import type { Endpoint, ErrorName, KeepAliveSettings } from './contract';
import type { Port } from './port';

export abstract class ConnectionControl {
  constructor(
    protected readonly port: Port,
    readonly id: number,
  ) {}

  /** Not closing yet: the id still names it. */
  protected abstract get isAlive(): boolean;

  setNoDelay(enable: boolean): ErrorName | null {
    if (!this.isAlive) return 'EBADF';
    return this.#orNull(this.port.native.setNoDelay(this.id, enable));
  }

  setKeepAlive(enable: boolean, settings: KeepAliveSettings): ErrorName | null {
    if (!this.isAlive) return 'EBADF';
    const { delay, interval = 0, count } = settings;
    // Node's JavaScript checks nothing of it, and its native code takes what is no number for none.
    const probes = typeof count === 'number' ? count : 0;
    return this.#orNull(this.port.native.setKeepAlive(this.id, enable, delay, interval, probes));
  }

  setTypeOfService(value: number): ErrorName | null {
    if (!this.isAlive) return 'EBADF';
    return this.#orNull(this.port.native.setTypeOfService(this.id, value));
  }

  typeOfService(): number | ErrorName {
    if (!this.isAlive) return 'EBADF';
    const value = this.port.native.typeOfService(this.id);
    return value < 0 ? this.errorName(value) : value;
  }

  localEndpoint(): Endpoint | ErrorName {
    if (!this.isAlive) return 'EBADF';
    return this.port.native.localAddress(this.id);
  }

  peerEndpoint(): Endpoint | ErrorName {
    if (!this.isAlive) return 'EBADF';
    return this.port.native.peerAddress(this.id);
  }

  get fd(): number {
    if (!this.isAlive || process.platform === 'win32') return -1;
    return this.port.native.nativeHandle(this.id);
  }

  protected errorName(result: number): ErrorName {
    return errorName(this.port.context.layout, result);
  }

  #orNull(result: number): ErrorName | null {
    return result < 0 ? this.errorName(result) : null;
  }
}
