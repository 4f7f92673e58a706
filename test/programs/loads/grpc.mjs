import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../servers/echo.proto', import.meta.url));
const { Echo } = loadPackageDefinition(loadSync(file)).programs;

/** Unary calls of 64 bytes; eight at a time on each of eight connections. */
export const lanes = 64;
const connections = 8;

const clients = [];

function clientOf(port, lane) {
  const options = { 'grpc.use_local_subchannel_pool': 1 };
  clients[lane % connections] ??= new Echo(
    `127.0.0.1:${port}`,
    credentials.createInsecure(),
    options,
  );
  return clients[lane % connections];
}

export async function open({ port }, lane) {
  const client = clientOf(port, lane);
  const request = { number: lane, content: Buffer.alloc(64, 'x') };
  return () =>
    new Promise((resolve, reject) => {
      client.Once(request, (error) => (error ? reject(error) : resolve()));
    });
}
