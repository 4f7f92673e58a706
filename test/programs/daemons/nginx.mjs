import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { find } from './daemon.mjs';

const server = find('nginx');

export const bigBytes = 32 * 1024 * 1024;

export const nginx = {
  server,
  prepare({ folder, port, tlsPort }) {
    writeFileSync(join(folder, 'big'), randomBytes(bigBytes));
    const configuration = `
      daemon off;
      master_process off;
      pid ${folder}/pid;
      events { worker_connections 512; }
      http {
        access_log off;
        root ${folder};
        client_body_temp_path ${folder}/body;
        proxy_temp_path ${folder}/proxy;
        fastcgi_temp_path ${folder}/fastcgi;
        uwsgi_temp_path ${folder}/uwsgi;
        scgi_temp_path ${folder}/scgi;
        keepalive_requests 10000;
        ssl_certificate ${folder}/cert.pem;
        ssl_certificate_key ${folder}/key.pem;
        server {
          listen 127.0.0.1:${port} backlog=511;
          listen 127.0.0.1:${tlsPort} ssl;
          location ~ ^/item/(\\d+)$ { return 200 "item $1"; }
          location /slow { alias ${folder}/big; limit_rate 200k; }
        }
      }`;
    writeFileSync(join(folder, 'nginx.conf'), configuration);
  },
  command: ({ folder }) => [
    ...[server, '-p', folder, '-c', `${folder}/nginx.conf`],
    ...['-g', `error_log ${folder}/error.log;`],
  ],
};
