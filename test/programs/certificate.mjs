// A certificate for localhost that lasts a day or two.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes `key.pem` and `cert.pem` in a folder; `{ key, cert }`, their text. */
export function makeCertificate(folder) {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  ];
  const files = ['-nodes', '-days', '2', '-keyout', 'key.pem', '-out', 'cert.pem'];
  execFileSync('openssl', [...args, ...subject, ...files], { cwd: folder, stdio: 'ignore' });
  const text = (name) => readFileSync(join(folder, name), 'utf8');
  return { key: text('key.pem'), cert: text('cert.pem') };
}
