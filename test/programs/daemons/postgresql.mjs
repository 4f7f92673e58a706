import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { find } from './daemon.mjs';

const versions = '/usr/lib/postgresql';
const installed = existsSync(versions)
  ? readdirSync(versions).map((version) => join(versions, version, 'bin'))
  : [];
const server = find('postgres', installed);
const beside = (program) => join(dirname(server), program);

export const postgresql = {
  server,
  user: 'postgres',
  prepare({ folder, ids }) {
    const args = [
      '-D',
      join(folder, 'data'),
      '-A',
      'trust',
      '-U',
      'tester',
      '-E',
      'UTF8',
      '--no-sync',
    ];
    execFileSync(beside('initdb'), args, { cwd: folder, ...ids, stdio: 'ignore' });
  },
  command: ({ folder, port }) => [
    ...[server, '-D', join(folder, 'data'), '-p', port, '-h', '127.0.0.1', '-k', folder],
    ...['-c', 'fsync=off', '-c', 'ssl=on'],
    ...['-c', `ssl_cert_file=${folder}/cert.pem`, '-c', `ssl_key_file=${folder}/key.pem`],
  ],
  isReady: ({ port }) =>
    spawnSync(beside('pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status === 0,
  // Ends the sessions with a word to each. By SIGKILL they would outlive it.
  end: 'SIGINT',
};
