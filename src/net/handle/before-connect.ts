/**
 * What a handle was asked for before it connects: the address to bind to, and options.
 *
 * The transport binds and connects in one step, a handle in two, and who binds wants to know at once
 * whether that worked and to which port. So a native handle of Node's holds the address until the
 * connect takes it.
 */
import type { Connection, KeepAliveSettings } from '../../port/contract';
import { errnoOf } from '../node/errors';
import { nativeBoundHandle } from '../node/native-handle';
import type { NativeBoundHandle } from '../node/native-handle';

interface LocalEnd {
  localAddress: string | undefined;
  localPort: number | undefined;
}

export const noLocalEnd: LocalEnd = { localAddress: undefined, localPort: undefined };

/** As in Node's TCP handles, numbers are 0 or the error's, negative. */
export class BeforeConnect {
  #bound: NativeBoundHandle | null = null;
  #noDelay: boolean | undefined;
  #keepAlive: { enable: boolean; settings: KeepAliveSettings } | undefined;
  #typeOfService: number | undefined;

  get isBound(): boolean {
    return this.#bound !== null;
  }

  bind(address: string, port: number, family: 4 | 6, flags = 0): number {
    // Node takes an empty address for any.
    if (this.#bound !== null || address === '') return errnoOf('EINVAL');
    const native = nativeBoundHandle(address, port, family, flags);
    if (typeof native === 'number') return native;
    this.#bound = native;
    return 0;
  }

  /** As libuv has it, this also says that the port was in use. */
  getsockname(out: object): number {
    return this.#bound?.getsockname(out) ?? errnoOf('EBADF');
  }

  get fd(): number {
    return this.#bound?.fd ?? -1;
  }

  setNoDelay(enable: boolean): number {
    this.#noDelay = enable;
    return 0;
  }

  setKeepAlive(enable: boolean, settings: KeepAliveSettings): number {
    this.#keepAlive = { enable, settings };
    return 0;
  }

  setTypeOfService(value: number): number {
    const answer = this.#bound?.setTypeOfService?.(value) ?? errnoOf('EBADF');
    if (answer === 0) this.#typeOfService = value;
    return answer;
  }

  getTypeOfService(): number {
    return this.#bound?.getTypeOfService?.() ?? errnoOf('EBADF');
  }

  /** Gives the address up, and says which it was. */
  release(): LocalEnd {
    const bound = this.#bound;
    this.#bound = null;
    if (bound === null) return noLocalEnd;
    const at = { address: '', port: 0 };
    const error = bound.getsockname(at);
    bound.close();
    return error === 0 ? { localAddress: at.address, localPort: at.port } : noLocalEnd;
  }

  applyTo(connection: Connection): void {
    if (this.#noDelay !== undefined) connection.setNoDelay(this.#noDelay);
    if (this.#keepAlive !== undefined) {
      connection.setKeepAlive(this.#keepAlive.enable, this.#keepAlive.settings);
    }
    if (this.#typeOfService !== undefined) connection.setTypeOfService(this.#typeOfService);
  }
}
