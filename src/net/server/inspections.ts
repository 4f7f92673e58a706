/**
 * Looks at connections at set intervals, for limits of time: one coarse timer for all connections of
 * a server. Nothing is done when a byte comes or goes. A list of connections, of which each waits
 * equally long for its next look, is in the order of these looks by itself: who was looked at goes to
 * the end. So a tick looks only at those whose time has come.
 */
import { AsyncResource } from 'node:async_hooks';
import { setTimeout as nodeSetTimeout } from 'node:timers';

/** Node's, whatever a test's fake timers put in its place later. */
const setTimeout = nodeSetTimeout;
const now = performance.now.bind(performance);

/** The timer comes no more often and, as long as there are connections, no more seldom. */
const SHORTEST_TICK_MS = 5;
const LONGEST_TICK_MS = 1000;

/** What comes of a look: the next one after the interval, or none. */
export type Look<Looked> = (entry: Looked, at: number) => 'again' | 'done';

export interface Inspection<Looked> {
  readonly intervalMs: number;
  readonly look: Look<Looked>;
}

interface List<Looked> extends Inspection<Looked> {
  /** When each is to be looked at; a Map keeps the order in which its entries were set. */
  readonly dueAt: Map<Looked, number>;
}

export class Inspections<Looked> {
  readonly #lists: readonly List<Looked>[];
  readonly #tickMs: number;
  /** The timer calls back in the context in which the server was made, not in some connection's. */
  readonly #scope = new AsyncResource('IOCPNETLIMITS', { requireManualDestroy: true });
  #isTicking = false;

  constructor(inspections: readonly Inspection<Looked>[]) {
    this.#lists = inspections.map((each) => ({ ...each, dueAt: new Map<Looked, number>() }));
    const shortest = Math.min(...inspections.map(({ intervalMs }) => intervalMs));
    this.#tickMs = Math.max(SHORTEST_TICK_MS, Math.min(LONGEST_TICK_MS, shortest / 4));
  }

  add(entry: Looked): void {
    const at = now();
    for (const { dueAt, intervalMs } of this.#lists) dueAt.set(entry, at + intervalMs);
    this.#wait();
  }

  remove(entry: Looked): void {
    for (const { dueAt } of this.#lists) dueAt.delete(entry);
  }

  #wait(): void {
    if (this.#isTicking || this.#lists.every(({ dueAt }) => dueAt.size === 0)) return;
    this.#isTicking = true;
    this.#scope.runInAsyncScope(() => setTimeout(() => this.#tick(), this.#tickMs).unref());
  }

  #tick(): void {
    this.#isTicking = false;
    // First of all: what a look throws must not end the looking.
    this.#wait();
    const at = now();
    for (const list of this.#lists) this.#lookAt(list, at);
  }

  #lookAt({ dueAt, intervalMs, look }: List<Looked>, at: number): void {
    for (const [entry, due] of dueAt) {
      if (due > at) return;
      // Entries that are set anew during this loop come at its end, and are not due.
      dueAt.delete(entry);
      if (look(entry, at) === 'again') dueAt.set(entry, at + intervalMs);
    }
  }
}
