// Services that are announced and found by multicast DNS, without a server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Bonjour } from 'bonjour-service';
import { freePort } from '../../../scripts/free-port.mjs';

/** On the loopback alone, and not where this machine's own services are announced. */
const place = { interface: '127.0.0.1', bind: '0.0.0.0', port: await freePort() };

const told = ({ name, type, port, host, txt, subtypes }) => ({
  ...{ name, type, port, host, txt, subtypes },
});

export async function run({ check, record }) {
  const [announcer, seeker] = [new Bonjour(place), new Bonjour(place)];
  const browser = seeker.find({ type: 'http' });
  const publish = (name, more) =>
    announcer.publish({ name, type: 'http', port: 3000, host: 'here.local', ...more });

  await check('a service is found', async () => {
    const found = once(browser, 'up');
    publish('first', { txt: { path: '/' }, subtypes: ['printer'] });
    const [service] = await found;
    await record('service', told(service));
  });
  await check('ten more', async () => {
    const names = Array.from({ length: 10 }, (_, n) => `service ${n}`);
    for (const name of names) publish(name);
    while (browser.services.length < 11) await once(browser, 'up');
    assert.deepEqual(browser.services.map(({ name }) => name).sort(), ['first', ...names]);
  });
  await check('one who comes late finds them all', async () => {
    const late = new Bonjour(place);
    const other = late.find({ type: 'http' });
    while (other.services.length < 11) await once(other, 'up');
    await promisify(late.destroy).call(late);
  });
  await check('all say goodbye', async () => {
    announcer.unpublishAll();
    while (browser.services.length > 0) await once(browser, 'down');
  });
  for (const each of [announcer, seeker]) await promisify(each.destroy).call(each);
}
