import { find } from './daemon.mjs';

const server = find('redis-server');

export const redis = {
  server,
  command: ({ folder, port, tlsPort }) => [
    ...[server, '--bind', '127.0.0.1', '--port', port, '--dir', folder, '--save', ''],
    ...['--tls-port', tlsPort, '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', `${folder}/cert.pem`, '--tls-key-file', `${folder}/key.pem`],
    ...['--tls-ca-cert-file', `${folder}/cert.pem`],
  ],
};
