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
    const { group } = this.port.context;
    return this.#orNull(group.setNoDelay(this.port.ordinal, this.id, enable));
  }

  setKeepAlive(enable: boolean, settings: KeepAliveSettings): ErrorName | null {
    if (!this.isAlive) return 'EBADF';
    const { delay, interval = 0, count = 0 } = settings;
    const { group } = this.port.context;
    return this.#orNull(
      group.setKeepAlive(this.port.ordinal, this.id, enable, delay, interval, count),
    );
  }

  setTypeOfService(value: number): ErrorName | null {
    if (!this.isAlive) return 'EBADF';
    const { group } = this.port.context;
    return this.#orNull(group.setTypeOfService(this.port.ordinal, this.id, value));
  }

  typeOfService(): number | ErrorName {
    if (!this.isAlive) return 'EBADF';
    const value = this.port.context.group.typeOfService(this.port.ordinal, this.id);
    return value < 0 ? this.errorName(value) : value;
  }

  localEndpoint(): Endpoint | ErrorName {
    if (!this.isAlive) return 'EBADF';
    return this.port.context.group.localAddress(this.port.ordinal, this.id);
  }

  peerEndpoint(): Endpoint | ErrorName {
    if (!this.isAlive) return 'EBADF';
    return this.port.context.group.peerAddress(this.port.ordinal, this.id);
  }

  get fd(): number {
    if (!this.isAlive || process.platform === 'win32') return -1;
    return this.port.context.group.nativeHandle(this.port.ordinal, this.id);
  }

  protected errorName(result: number): ErrorName {
    return errorName(this.port.context.layout, result);
  }

  #orNull(result: number): ErrorName | null {
    return result < 0 ? this.errorName(result) : null;
  }
}
