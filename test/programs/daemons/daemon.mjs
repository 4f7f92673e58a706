// A server from a Debian package: started on free ports, in a folder of its own, for one test run.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../../scripts/free-port.mjs';
import { makeCertificate } from '../certificate.mjs';

const startMs = 60_000;

/** The first of some folders, or of PATH, that has this program. */
export function find(program, folders = []) {
  const all = [...folders, ...process.env.PATH.split(delimiter), '/usr/sbin'];
  return all.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** Whether somebody listens there. */
export async function accepts(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export class Daemon {
  #spec;
  #child;

  /**
   * @param {object} spec
   * @param {(folder: string, place: object) => void} [spec.prepare]  fills the folder
   * @param {(place: object) => string[]} spec.command
   * @param {number} [spec.port]  where one has to be; else it gets a free one
   * @param {string} [spec.user]  whom root starts it as
   * @param {NodeJS.Signals} [spec.end]  what ends it; SIGKILL where nothing is said
   * @param {(place: object) => boolean | Promise<boolean>} [spec.isReady]  after it accepts
   */
  static async start(spec) {
    const daemon = new Daemon();
    daemon.#spec = spec;
    const folder = mkdtempSync(join(tmpdir(), 'iocp-net-daemon-'));
    const { cert: ca } = makeCertificate(folder);
    const ids = daemon.#ids();
    if (ids.uid !== undefined) {
      for (const name of ['', 'key.pem', 'cert.pem'])
        chownSync(join(folder, name), ids.uid, ids.gid);
    }
    const port = spec.port ?? (await freePort());
    daemon.place = { folder, ca, ids, port, tlsPort: await freePort() };
    process.once('exit', () => daemon.#child?.kill('SIGKILL'));
    await spec.prepare?.(daemon.place);
    await daemon.start();
    return daemon;
  }

  #ids() {
    const { user } = this.#spec;
    if (user === undefined || process.getuid() !== 0) return {};
    const number = (flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
    return { uid: number('-u'), gid: number('-g') };
  }

  /** Starts it, again on the same ports. */
  async start() {
    const { port, folder, ids } = this.place;
    const [program, ...args] = this.#spec.command(this.place);
    const child = spawn(program, args, { cwd: folder, ...ids, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = join(folder, 'log');
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => appendFileSync(log, text));
    }
    this.#child = child;
    const deadline = Date.now() + startMs;
    while (!(await accepts(port)) || (await this.#spec.isReady?.(this.place)) === false) {
      if (!this.isRunning || Date.now() > deadline) {
        const said = existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : '';
        throw new Error(`${program} does not come up: ${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop() {
    if (!this.isRunning) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill(this.#spec.end ?? 'SIGKILL');
    await exit;
  }

  async remove() {
    await this.stop();
    rmSync(this.place.folder, { recursive: true, force: true });
  }
}
