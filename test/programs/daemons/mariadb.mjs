import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { find } from './daemon.mjs';

const server = find('mariadbd');

export const mariadb = {
  server: server && find('mariadb-install-db') && server,
  prepare({ folder }) {
    const { username } = userInfo();
    const args = ['--no-defaults', `--datadir=${folder}/data`, `--user=${username}`];
    execFileSync(
      find('mariadb-install-db'),
      [...args, '--auth-root-authentication-method=normal', '--skip-test-db'],
      { stdio: 'ignore' },
    );
  },
  command: ({ folder, port }) => [
    ...[server, '--no-defaults', `--user=${userInfo().username}`, `--datadir=${folder}/data`],
    ...['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${folder}/socket`],
    ...[`--ssl-cert=${folder}/cert.pem`, `--ssl-key=${folder}/key.pem`],
    ...['--max-allowed-packet=64M', '--innodb-flush-log-at-trx-commit=0'],
  ],
};
