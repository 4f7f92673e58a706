// An MQTT broker.
import { Aedes } from 'aedes';
import { createServer } from 'node:net';

const { PORT = '1883', HOST = '127.0.0.1' } = process.env;

const broker = await Aedes.createBroker();
const server = createServer(broker.handle);

server.listen(Number(PORT), HOST, () => {
  console.log(`The broker listens on mqtt://${HOST}:${server.address().port}`);
});

process.once('SIGTERM', () => {
  server.close();
  broker.close();
});
