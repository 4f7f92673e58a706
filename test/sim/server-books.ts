/** What a server promises: who comes in, and when it is closed. */
import type * as net from 'node:net';
import type { Judge } from './judge';
import type { SocketBooks } from './socket-books';

export class ServerBooks {
  readonly sockets: SocketBooks[] = [];
  refed = true;
  port = 0;
  isClosing = false;
  isClosed = false;
  /** It could not listen. */
  hasFailed = false;
  #callbacks = 0;

  constructor(
    readonly judge: Judge,
    readonly server: net.Server,
    readonly name: string,
  ) {
    server.on('listening', () => this.#onListening());
    server.on('error', (error) => this.#onError(error));
    server.on('close', () => this.#onClose());
  }

  #onListening(): void {
    this.judge.note(`${this.name} listening`);
    if (this.port !== 0) this.violate("'listening' twice");
    this.port = (this.server.address() as net.AddressInfo | null)?.port ?? 0;
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.judge.note(`${this.name} error`);
    this.hasFailed = true;
    if (!this.judge.hasFaults) this.violate(`an error of a server: ${error.code}`);
  }

  /** Whether it keeps the loop alive. */
  hold(holds: boolean): void {
    this.refed = holds;
    if (holds) this.server.ref();
    else this.server.unref();
  }

  admit(books: SocketBooks): void {
    if (this.isClosing) this.violate("'connection' after close()");
    this.sockets.push(books);
  }

  close(): void {
    // Before it listens there is nothing to close, and it listens all the same.
    if (this.isClosing || this.port === 0) return;
    this.isClosing = true;
    this.server.close((error) => {
      if (error) this.violate('the callback of close() has an error');
      this.#callbacks++;
    });
  }

  #onClose(): void {
    this.judge.note(`${this.name} close`);
    if (this.isClosed) this.violate("a server's 'close' twice");
    this.isClosed = true;
    if (!this.isClosing) this.violate("a server's 'close' without close()");
    if (this.sockets.some(({ socket }) => !socket.destroyed)) {
      this.violate("a server's 'close' before the end of its connections");
    }
  }

  checkAtEnd(): void {
    if (this.hasFailed) return;
    if (!this.isClosed) this.violate("it never comes: a server's 'close'");
    if (this.#callbacks !== 1) this.violate('the callback of close() did not come once');
  }

  violate(what: string): void {
    this.judge.violate(what, this.name);
  }
}
