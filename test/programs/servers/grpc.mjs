// A gRPC server: all four kinds of call.
import { loadPackageDefinition, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

const file = fileURLToPath(new URL('echo.proto', import.meta.url));
const { Echo } = loadPackageDefinition(loadSync(file)).programs;
const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const server = new Server(unlimited);

server.addService(Echo.service, {
  Once: ({ request }, callback) => callback(null, request),

  Count(call) {
    const { count, bytes } = call.request;
    let number = 0;
    const more = () => {
      while (number < count) {
        if (!call.write({ number, content: Buffer.alloc(bytes, number++) })) {
          call.once('drain', more);
          return;
        }
      }
      call.end();
    };
    more();
  },

  Sum(call, callback) {
    let number = 0;
    const parts = [];
    call.on('data', (text) => {
      number += text.number;
      parts.push(text.content);
    });
    call.on('end', () => callback(null, { number, content: Buffer.concat(parts) }));
  },

  Talk: (call) => call.pipe(call),

  Fail: ({ request }, callback) =>
    callback({ code: status.FAILED_PRECONDITION, details: String(request.content) }),
});

server.bindAsync(`${HOST}:${PORT}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`gRPC listens on ${HOST}:${port}`);
});

process.once('SIGTERM', () => server.tryShutdown(() => {}));
