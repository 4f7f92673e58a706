/**
 * Calls between a test and its child processes, as lines of JSON over a loopback connection of
 * node:net: Node's own channel is a pipe, and Wine's pipes lose data.
 */
import type { Socket } from 'node:net';

export type Handlers = Record<string, (argument: never) => unknown>;

interface Message {
  id: number;
  call?: string;
  value?: unknown;
  error?: string;
}

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

export class Calls {
  readonly #socket: Socket;
  readonly #handlers: Handlers;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #partial = '';
  #gone: Error | null = null;

  constructor(socket: Socket, handlers: Handlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => {});
    socket.on('close', () => this.abandon(new Error('the other process is gone')));
  }

  call<T>(name: string, argument?: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#gone !== null) return reject(this.#gone);
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: resolve, reject });
      this.#send({ id, call: name, value: argument });
    });
  }

  /** Fails what is waiting and what will be called. */
  abandon(error: Error): void {
    this.#gone ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
  }

  end(): void {
    this.#socket.end();
  }

  #send(message: Message): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #take(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const each of lines) {
      const message = JSON.parse(each) as Message;
      if (message.call !== undefined) void this.#answer(message);
      else this.#settle(message);
    }
  }

  async #answer({ id, call = '', value }: Message): Promise<void> {
    try {
      const handler = this.#handlers[call];
      if (handler === undefined) throw new Error(`there is no ${call} to call`);
      this.#send({ id, value: await handler(value as never) });
    } catch (error) {
      this.#send({ id, error: (error as Error).stack ?? String(error) });
    }
  }

  #settle({ id, value, error }: Message): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiting?.reject(new Error(error));
    else waiting?.resolve(value as never);
  }
}
