// A tracer: OpenTelemetry's instrumentation of `net`, which makes a span of each connection.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { NetInstrumentation } from '@opentelemetry/instrumentation-net';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(provider);
registerInstrumentations({ instrumentations: [new NetInstrumentation()] });

const net = createRequire(import.meta.url)('node:net');
const tracer = trace.getTracer('test');

/** What is the same in each run. */
function told({ name, attributes, status, parentSpanContext }) {
  const same = Object.entries(attributes).map(([key, value]) => [
    key,
    key.endsWith('.port') && value > 1 ? 'some port' : value,
  ]);
  return { name, attributes: same, status, isChild: parentSpanContext !== undefined };
}

async function exchange(target) {
  const socket = net.connect(target);
  await once(socket, 'connect');
  socket.end('a question');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return { text, span: trace.getActiveSpan() };
}

export async function run({ check, record }) {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();

  await check('a connection is traced', async () => {
    await tracer.startActiveSpan('outer', async (outer) => {
      const { text, span } = await exchange({ port, host: '127.0.0.1' });
      assert.equal(text, 'a question');
      assert.equal(span, outer);
      outer.end();
    });
  });
  await check('twenty at once keep their context', () =>
    Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        tracer.startActiveSpan(`outer ${n}`, async (outer) => {
          const { span } = await exchange({ port, host: '127.0.0.1' });
          assert.equal(span, outer);
          outer.end();
        }),
      ),
    ),
  );
  await check('one that fails is traced', async () => {
    await exchange({ port: 1, host: '127.0.0.1' }).catch(() => {});
  });
  await check('a local socket that fails is traced', async () => {
    await exchange({ path: '/nowhere/socket' }).catch(() => {});
  });
  server.close();
  await once(server, 'close');
  const spans = exporter.getFinishedSpans().map(told);
  assert.ok(spans.length > 22);
  await record(
    'spans',
    spans.filter(({ name }) => !/^outer \d/.test(name)),
  );
}
