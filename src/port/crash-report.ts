/**
 * What Node prints before it ends by an error begins with the line that threw. For an error that was
 * caught on its way, as everything is that passes through Node-API, it takes the line in which the
 * error was made, and where it finds none, one of ours. For an 'error' event without a listener
 * that line is in `node:events` and says so; it is what people look for first.
 */
import { isMainThread } from 'node:worker_threads';
import { bare } from '../net/bare';
import { ownSymbol } from '../own-symbol';

/** Node's, on an error that was emitted and found no listener: how its stack is to be completed. */
const COMPLETES_STACK = 'kEnhanceStackBeforeInspector';

/** Nobody will see the error, but who reads what is printed. */
function isEnd(): boolean {
  return (
    isMainThread && // a worker's error goes to its parent
    process.listenerCount('uncaughtException') === 0 &&
    process.listenerCount('uncaughtExceptionMonitor') === 0 &&
    !process.hasUncaughtExceptionCaptureCallback()
  );
}

/**
 * Emits it again within a script whose errors Node decorates with the line that threw, and takes
 * care that the emitter that is named stays the first one.
 */
function throwAgain(error: Error, mark: symbol): void {
  const completesStack = Object.getOwnPropertyDescriptor(error, mark);
  const { EventEmitter } = process.getBuiltinModule('node:events');
  const { runInThisContext } = process.getBuiltinModule('node:vm');
  const emit = (): void => void new EventEmitter().emit('error', error);
  // A script sees nothing but the global object.
  const key = 'iocp-net.emit';
  Object.defineProperty(globalThis, Symbol.for(key), bare({ value: emit, configurable: true }));
  try {
    runInThisContext(`globalThis[Symbol.for('${key}')]()`);
  } catch {
    // It is decorated.
  } finally {
    Reflect.deleteProperty(globalThis, Symbol.for(key));
  }
  if (completesStack !== undefined) Object.defineProperty(error, mark, completesStack);
}

/** For an error that nobody has caught, before it is reported. */
export function prepareCrashReport(error: unknown): void {
  if (!(error instanceof Error) || !isEnd()) return;
  const mark = ownSymbol(error, COMPLETES_STACK);
  if (mark !== undefined) throwAgain(error, mark);
}
