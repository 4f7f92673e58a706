import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import amqp from 'amqplib';

const mib = 1024 * 1024;

export async function run({ port, tlsPort, ca, check, record, stopServer, startServer }) {
  const plain = [`amqp://127.0.0.1:${port}`];
  const secure = [`amqps://localhost:${tlsPort}`, { ca }];

  async function connected(work, where = plain) {
    const connection = await amqp.connect(...where);
    try {
      await work(connection);
    } finally {
      await connection.close();
    }
  }

  /** The first `count` messages of a queue, each acknowledged. */
  async function consume(channel, queue, count) {
    const bodies = [];
    await new Promise((resolve) => {
      channel.consume(queue, (message) => {
        channel.ack(message);
        if (bodies.push(message.content) === count) resolve();
      });
    });
    return bodies;
  }

  /** Without waiting for one before the next: each is confirmed, and all come in their order. */
  async function exchange(connection, bodies) {
    const [sending, receiving] = [
      await connection.createConfirmChannel(),
      await connection.createChannel(),
    ];
    await receiving.prefetch(100);
    const { queue } = await sending.assertQueue('', { exclusive: true });
    const received = consume(receiving, queue, bodies.length);
    let confirmed = 0;
    for (const body of bodies) {
      const confirm = (error) => error ?? confirmed++;
      if (!sending.sendToQueue(queue, body, {}, confirm)) await once(sending, 'drain');
    }
    await sending.waitForConfirms();
    assert.equal(confirmed, bodies.length);
    (await received).forEach((body, n) => assert.ok(body.equals(bodies[n]), `message ${n}`));
  }

  const small = Array.from({ length: 5000 }, (_, n) => Buffer.from(`${n} ${'ü'.repeat(n % 97)}`));
  const large = Array.from({ length: 4 }, () => randomBytes(8 * mib));

  async function fanOut(connection) {
    const channels = await Promise.all(
      Array.from({ length: 20 }, () => connection.createChannel()),
    );
    await channels[0].assertExchange('news', 'fanout', { durable: false });
    const heard = await Promise.all(
      channels.map(async (channel) => {
        const { queue } = await channel.assertQueue('', { exclusive: true });
        await channel.bindQueue(queue, 'news', '');
        return { all: consume(channel, queue, 100) };
      }),
    );
    for (let n = 0; n < 100; n++) channels[0].publish('news', '', Buffer.from(String(n)));
    for (const { all } of heard)
      (await all).forEach((body, n) => assert.equal(String(body), String(n)));
  }

  async function restart() {
    const connection = await amqp.connect(...plain);
    connection.on('error', (error) => void record('error of the connection', error));
    const closed = new Promise((resolve) => connection.on('close', resolve));
    const channel = await connection.createChannel();
    channel.on('error', (error) => void record('error of the channel', error));
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.consume(queue, () => {});
    await stopServer();
    await record('close of the connection', await closed);
    const question = Promise.resolve().then(() => channel.checkQueue(queue));
    await record('question afterwards', await question.catch((error) => error));
    await record('connect', await amqp.connect(...plain).catch((error) => error));
    await startServer();
    await connected((again) => exchange(again, small));
  }

  const exchanged = (bodies, where) => () =>
    connected((connection) => exchange(connection, bodies), where);
  await check('5000 messages, confirmed', exchanged(small));
  await check('messages of 8 MiB', exchanged(large));
  await check('20 channels hear all', () => connected(fanOut));
  await check('5000 messages over TLS', exchanged(small, secure));
  await check('messages of 8 MiB over TLS', exchanged(large, secure));
  await check('the server restarts', restart);
}
