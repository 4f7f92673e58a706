/**
 * What a handle was asked for before it connects: the address to bind to, and options.
 *
 * The transport binds and connects in one step, a handle in two, and who binds wants to know at once
 * whether that worked and to which port. So a native handle of Node's holds the address until the
 * connect takes it.
 */
import type { Connection, Endpoint, ErrorName, KeepAliveSettings } from '../../port/contract';
import { bare } from '../bare';
import { errnoOf, nameOfNumber } from '../node/errors';
import { nativeBoundHandle } from '../node/native-handle';
import type { NativeBoundHandle } from '../node/native-handle';

type OptionTarget = Pick<
  Connection,
  'setNoDelay' | 'setKeepAlive' | 'setTypeOfService' | 'typeOfService' | 'localEndpoint'
>;

interface LocalEnd {
  localAddress: string | undefined;
  localPort: number | undefined;
}

export const noLocalEnd: LocalEnd = { localAddress: undefined, localPort: undefined };

/** Stands for the connection to come, as far as that can be asked already. */
export class BeforeConnect implements OptionTarget {
  #bound: NativeBoundHandle | null = null;
  #noDelay: boolean | undefined;
  #keepAlive: { enable: boolean; settings: KeepAliveSettings } | undefined;
  #typeOfService: number | undefined;

  get isBound(): boolean {
    return this.#bound !== null;
  }

  /** As with Node's handles, the answer is 0 or the error's number. */
  bind(address: string, port: number, family: 4 | 6, flags = 0): number {
    // Node takes an empty address for any.
    if (this.#bound !== null || address === '') return errnoOf('EINVAL');
    const native = nativeBoundHandle(address, port, family, flags);
    if (typeof native === 'number') return native;
    this.#bound = native;
    return 0;
  }

  /** As libuv has it, this also says that the port was in use. */
  localEndpoint(): Endpoint | ErrorName {
    if (this.#bound === null) return 'EBADF';
    const endpoint = bare({}) as Endpoint;
    const number = this.#bound.getsockname(endpoint);
    return number === 0 ? endpoint : nameOfNumber(number);
  }

  get fd(): number {
    return this.#bound?.fd ?? -1;
  }

  setNoDelay(enable: boolean): null {
    this.#noDelay = enable;
    return null;
  }

  setKeepAlive(enable: boolean, settings: KeepAliveSettings): null {
    this.#keepAlive = { enable, settings };
    return null;
  }

  setTypeOfService(value: number): ErrorName | null {
    const number = this.#bound?.setTypeOfService?.(value);
    if (number !== 0) return number === undefined ? 'EBADF' : nameOfNumber(number);
    this.#typeOfService = value;
    return null;
  }

  typeOfService(): number | ErrorName {
    const value = this.#bound?.getTypeOfService?.() ?? 'EBADF';
    return typeof value === 'number' && value < 0 ? nameOfNumber(value) : value;
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
