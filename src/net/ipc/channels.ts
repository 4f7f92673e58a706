/**
 * The channels to other processes: `_send` of each is wrapped, and `spawn()`, so that what is ours
 * goes over them (`send.ts`).
 */
import { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Carrier, Carriers, Channel, Send } from './carrier';
import { greetWorker, serveWorker } from '../cluster/primary';

const wrapped = new WeakSet<Send>();

function* living({ all }: Carriers): Generator<Carrier> {
  for (const each of all) {
    const carrier = each.deref();
    if (carrier !== undefined) yield carrier();
  }
}

/** What Node refuses before it looks at the handle. */
function isSendable(message: unknown): boolean {
  const isPlain = ['string', 'number', 'boolean', 'object'].includes(typeof message);
  return message !== undefined && isPlain;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function wrapSend(send: Send, carriers: Carriers): Send {
  return function _send(this: Channel, ...args) {
    const [message, handle] = args;
    // Queued behind another handle, it comes here again.
    if (isObject(handle) && !this._handleQueue && isSendable(message)) {
      for (const carrier of living(carriers)) {
        const sent = carrier.send(this, send, args);
        if (sent !== undefined) return sent;
      }
    }
    return send.apply(this, args);
  };
}

function wrapChannel(channel: Channel, carriers: Carriers): void {
  const { _send: send } = channel;
  if (typeof send !== 'function' || wrapped.has(send)) return;
  channel._send = wrapSend(send, carriers);
  wrapped.add(channel._send);
}

function duplicateOf(entry: unknown, carriers: Carriers): number | undefined {
  if (!isObject(entry)) return undefined;
  for (const carrier of living(carriers)) {
    const fd = carrier.duplicate(entry);
    if (fd !== undefined) return fd;
  }
  return undefined;
}

interface SpawnSettings {
  stdio?: unknown;
  envPairs?: string[];
}

/** Puts descriptors in the place of our sockets; returns those to close when the child has them. */
function replaceSockets(options: SpawnSettings, carriers: Carriers): number[] {
  const { stdio } = options;
  if (!Array.isArray(stdio)) return [];
  const duplicates: number[] = [];
  options.stdio = stdio.map((entry: unknown) => {
    const fd = duplicateOf(entry, carriers);
    if (fd === undefined) return entry;
    duplicates.push(fd);
    return fd;
  });
  return duplicates;
}

interface Spawning {
  spawn(options: SpawnSettings): unknown;
}

/** From here children can be given what is ours, when they begin and over their channels. */
function watchSpawn(carriers: Carriers): void {
  const prototype = ChildProcess.prototype as unknown as Spawning;
  const { spawn } = prototype;
  prototype.spawn = function (this: Channel & Spawning, options) {
    const duplicates = replaceSockets(options, carriers);
    const isWorker = process.platform === 'win32' && greetWorker(options);
    try {
      return spawn.call(this, options);
    } finally {
      for (const fd of duplicates) closeSync(fd);
      wrapChannel(this, carriers);
      if (isWorker) serveWorker(this as unknown as ChildProcess);
    }
  };
}

/** Children from before we were loaded. */
function wrapChildren(carriers: Carriers): void {
  const { _getActiveHandles: handles } = process as unknown as {
    _getActiveHandles?: () => unknown[];
  };
  const children = (handles?.() ?? []).filter((each) => each instanceof ChildProcess);
  for (const child of children) wrapChannel(child, carriers);
}

/** From here every channel, of children there are and to come and to the parent, can send what is ours. */
export function watchChannels(carriers: Carriers): void {
  carriers.wrapChannel = (channel) => wrapChannel(channel, carriers);
  watchSpawn(carriers);
  wrapChannel(process, carriers);
  wrapChildren(carriers);
}
