/** Node's permission model, where it covers the network. */

interface Permission {
  has(scope: string): boolean;
}

const { permission } = process as unknown as { permission?: Permission };

// Before there was the flag, `has('net')` said no and nothing was refused.
const coversNet =
  permission !== undefined && process.allowedNodeEnvironmentFlags.has('--allow-net');

/**
 * Whether this process may not use the network. What it asks for is then left to Node's own
 * implementation, which refuses it in Node's words.
 */
export function isNetDenied(): boolean {
  return coversNet && permission?.has('net') === false;
}
