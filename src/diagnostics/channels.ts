/**
 * The channels of `node:diagnostics_channel` that we publish on: docs/observability.md. Who
 * publishes asks `hasSubscribers` first, so that nothing is made where nobody listens.
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { DiagnosticsMessages } from './messages';

interface Channel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

type Channels = {
  readonly [
    Name in keyof DiagnosticsMessages as Name extends `iocp-net:${infer Short}` ? Short : never
  ]: Channel<DiagnosticsMessages[Name]>;
};

const named = (name: keyof Channels): Channel<never> => channel(`iocp-net:${name}`);

export const channels: Channels = {
  engine: named('engine'),
  fallback: named('fallback'),
  connection: named('connection'),
  close: named('close'),
  leave: named('leave'),
  drop: named('drop'),
  drive: named('drive'),
};

/** Writes the lines of `NODE_DEBUG=iocp-net` on stderr. */
export const debug = debuglog('iocp-net');
