/** A real connection over loopback: what was sent has come back, and the core's counters say so. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { engine } from '../../engine';
import * as net from '../../net/index';
import type { ProofFindings } from './findings';

const BYTES = 100_000;
const LONGEST_MS = 5000;

async function echo(signal: AbortSignal): Promise<number> {
  const peers = new Set<Socket>();
  const server = net.createServer((peer) => {
    peers.add(peer);
    peer.on('error', () => {}); // the client tells
    peer.pipe(peer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening', { signal });
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    let received = 0;
    client.on('data', (chunk) => (received += chunk.length));
    client.end(Buffer.alloc(BYTES, 'iocp-net'));
    await once(client, 'end', { signal });
    return received;
  } finally {
    client.destroy();
    for (const peer of peers) peer.destroy();
    server.close();
  }
}

/** Whether the core has accepted, connected and carried the bytes both ways, twice each. */
function isOnCore(): boolean {
  const { operations, bytesReceived, bytesSent } = engine.stats();
  const { accept, connect } = operations;
  if (!accept?.completed || !connect?.completed) return false;
  return bytesReceived >= 2 * BYTES && bytesSent >= 2 * BYTES;
}

export async function proofFindings(): Promise<ProofFindings> {
  const started = performance.now();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LONGEST_MS);
  const ended = (bytes: number, error: string | null): ProofFindings => {
    const milliseconds = Math.round((performance.now() - started) * 10) / 10;
    return { echoed: bytes === BYTES, onCore: isOnCore(), bytes, milliseconds, error };
  };
  try {
    return ended(await echo(limit.signal), null);
  } catch (error) {
    const { message } = error as Error;
    return ended(0, limit.signal.aborted ? `no answer within ${LONGEST_MS / 1000} s` : message);
  } finally {
    clearTimeout(timer);
  }
}
