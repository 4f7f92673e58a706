// MQTT clients on Node's own net, with all three promises of delivery.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import mqtt from 'mqtt';

const open = (port, options) => mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options);

/** Messages heard until there are `count`. */
function heard(client, count) {
  const messages = [];
  return new Promise((resolve) => {
    client.on('message', (topic, payload) => {
      if (messages.push([topic, payload]) === count) resolve(messages);
    });
  });
}

async function delivered(port, qos, count, bytes) {
  const [from, to] = await Promise.all([open(port), open(port)]);
  try {
    const topic = `delivery/${qos}/${bytes}`;
    await to.subscribeAsync(topic, { qos });
    const sent = Array.from({ length: count }, (_, n) => {
      const payload = randomBytes(bytes);
      payload.writeUInt32BE(n);
      return payload;
    });
    const all = heard(to, count);
    await Promise.all(sent.map((payload) => from.publishAsync(topic, payload, { qos })));
    (await all).forEach(([where, payload], n) => {
      assert.equal(where, topic);
      assert.ok(payload.equals(sent[n]), `message ${n}`);
    });
  } finally {
    await Promise.all([from.endAsync(), to.endAsync()]);
  }
}

async function fanOut(port) {
  const clients = await Promise.all(Array.from({ length: 30 }, () => open(port)));
  try {
    await Promise.all(clients.map((client) => client.subscribeAsync('news/#')));
    const all = Promise.all(clients.map((client) => heard(client, 30)));
    await Promise.all(clients.map((client, n) => client.publishAsync(`news/${n}`, String(n))));
    for (const messages of await all) {
      const topics = messages.map(([topic]) => topic).sort();
      assert.deepEqual(topics, clients.map((_, n) => `news/${n}`).sort());
    }
  } finally {
    await Promise.all(clients.map((client) => client.endAsync()));
  }
}

/** The broker speaks for somebody who vanishes without a word. */
async function lastWill(port) {
  const listener = await open(port);
  try {
    await listener.subscribeAsync('wills');
    const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 0, retain: false };
    const dying = await open(port, { will, reconnectPeriod: 0 });
    dying.on('error', () => {});
    const said = once(listener, 'message');
    dying.stream.destroy();
    assert.equal(String((await said)[1]), 'gone');
    dying.end(true);
  } finally {
    await listener.endAsync();
  }
}

export async function mqttTraffic({ port, check }) {
  await check('at most once', () => delivered(port, 0, 800, 100));
  await check('at least once', () => delivered(port, 1, 500, 100));
  await check('exactly once', () => delivered(port, 2, 500, 100));
  await check('large messages', () => delivered(port, 1, 20, 500_000));
  await check('30 clients hear each other', () => fanOut(port));
  await check('a last will', () => lastWill(port));
}
