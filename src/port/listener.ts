/** A listening socket on a port. Its connections may live on other ports. */
import { AsyncResource } from 'node:async_hooks';
import { errorName } from './binding';
import type { Endpoint, ErrorName, ListenerOwner, SocketKind } from './contract';
import type { Port } from './port';
import type { PortListener } from './served';

enum State {
  Listening,
  Closing,
  Closed,
}

export class TcpListener extends AsyncResource implements PortListener {
  readonly #port: Port;
  #state = State.Listening;
  #done: (() => void) | undefined;
  #refed = true;
  /** Others may have the socket, too. */
  #isShared: boolean;

  constructor(
    port: Port,
    readonly id: number,
    readonly owner: ListenerOwner,
    readonly kind: SocketKind = 'tcp',
    isShared = false,
  ) {
    super(kind === 'tcp' ? 'TCPSERVERWRAP' : 'PIPESERVERWRAP', { requireManualDestroy: true });
    this.#port = port;
    this.#isShared = isShared;
    port.addListener(this);
    port.ref();
    // Without credit: nothing is read before the 'connection' event and its ticks are over.
    port.submitNow(port.context.layout.opcodes.accept, 0, id, 0);
  }

  get listening(): boolean {
    return this.#state === State.Listening;
  }

  get takesAccepted(): boolean {
    return this.listening || this.#isShared;
  }

  get fd(): number {
    if (!this.listening || process.platform === 'win32') return -1;
    return this.#port.native.nativeListenerHandle(this.id);
  }

  duplicate(): number | ErrorName {
    if (!this.listening) return 'EBADF';
    const { layout } = this.#port.context;
    this.#port.submit(layout.opcodes.accept, layout.acceptShared, this.id);
    this.#isShared = true;
    return this.#port.native.duplicateListener(this.id);
  }

  localEndpoint(): Endpoint | ErrorName {
    if (!this.listening) return 'EBADF';
    return this.#port.native.listenerAddress(this.id);
  }

  setAccess(readable: boolean, writable: boolean): ErrorName | null {
    if (!this.listening) return 'EBADF';
    const { layout } = this.#port.context;
    const result = this.#port.native.setListenerAccess(this.id, readable, writable);
    return result < 0 ? errorName(layout, result) : null;
  }

  close(done?: () => void): boolean {
    if (!this.listening) return false;
    this.#state = State.Closing;
    this.#done = done;
    // As with libuv, closing holds the event loop, or nobody would hear of its end.
    this.ref();
    if (this.kind === 'local') this.#port.native.unlinkListener(this.id);
    if (!this.#port.closeNow(this.#port.context.layout.opcodes.closeListener, this.id))
      return false;
    this.#state = State.Closed;
    return true;
  }

  completeClose(): void {
    this.#state = State.Closed;
    this.unref();
    this.#done?.();
    this.emitDestroy();
  }

  ref(): void {
    if (this.#refed || this.#state === State.Closed) return;
    this.#refed = true;
    this.#port.ref();
  }

  unref(): void {
    if (!this.#refed) return;
    this.#refed = false;
    this.#port.unref();
  }

  hasRef(): boolean {
    return this.#refed && this.#state !== State.Closed;
  }
}
