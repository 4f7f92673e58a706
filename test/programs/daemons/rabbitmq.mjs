import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts } from './daemon.mjs';

// The program on PATH insists on the folders of the package.
const server = '/usr/lib/rabbitmq/bin/rabbitmq-server';

export const rabbitmq = {
  server: existsSync(server) ? server : undefined,
  prepare({ folder, port, tlsPort }) {
    const configuration = `
      listeners.tcp.1 = 127.0.0.1:${port}
      listeners.ssl.1 = 127.0.0.1:${tlsPort}
      ssl_options.cacertfile = ${folder}/cert.pem
      ssl_options.certfile = ${folder}/cert.pem
      ssl_options.keyfile = ${folder}/key.pem
      ssl_options.verify = verify_none
      log.file = false
      log.console = true
      log.console.level = error`;
    writeFileSync(join(folder, 'rabbitmq.conf'), configuration);
  },
  command: ({ folder }) => [
    ...['env', `HOME=${folder}`, 'RABBITMQ_CONF_ENV_FILE=/dev/null'],
    ...[`RABBITMQ_CONFIG_FILE=${folder}/rabbitmq.conf`, `RABBITMQ_MNESIA_BASE=${folder}/data`],
    ...[`RABBITMQ_LOG_BASE=${folder}/logs`, `RABBITMQ_ENABLED_PLUGINS_FILE=${folder}/plugins`],
    ...[`RABBITMQ_PID_FILE=${folder}/pid`, 'RABBITMQ_NODENAME=rabbit@localhost'],
    // A node that is named already, and that no other can find, starts no daemon of Erlang's own.
    'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-sname rabbit@localhost -dist_listen false ' +
      '-start_epmd false -erl_epmd_port 1',
    // Otherwise a shell would stand before it.
    'RUNNING_UNDER_SYSTEMD=1',
    server,
  ],
  isReady: ({ tlsPort }) => accepts(tlsPort),
};
