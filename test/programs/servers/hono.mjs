// Hono on its Node server, with the routes of examples/express.mjs.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { stream } from 'hono/streaming';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;

const app = new Hono();

app.get('/', (context) => context.text('Hello, world!\n'));
app.get('/items/:id', (context) =>
  context.json({ id: context.req.param('id'), query: context.req.query() }),
);
app.post('/json', async (context) => context.json(await context.req.json()));
app.post('/echo', (context) => context.body(context.req.raw.body));
app.get('/lines/:count', (context) =>
  stream(context, async (output) => {
    const count = Number(context.req.param('count'));
    for (let from = 0; from < count && !output.aborted; from += 1000) {
      const lines = Array.from({ length: Math.min(1000, count - from) }, (_, line) =>
        String(from + line).padStart(15, '0'),
      );
      await output.write(`${lines.join('\n')}\n`);
    }
  }),
);

const server = serve({ fetch: app.fetch, port: Number(PORT), hostname: HOST }, ({ port }) => {
  console.log(`Hono listens on http://${HOST}:${port}`);
});

process.once('SIGTERM', () => server.close());
