/** IPv6 addresses with a zone, `fe80::1%eth0`. */
import { has } from '../bare';
import type {
  ConnectFailure,
  Connection,
  ConnectionOwner,
  ConnectSettings,
  Transport,
} from '../../port/contract';

/** As with libuv, a zone that does not exist is no zone: the system says what it makes of that. */
export function connectSomewhere(
  transport: Transport,
  settings: ConnectSettings,
  owner: ConnectionOwner,
): Connection | ConnectFailure {
  const answer = transport.connect(settings, owner);
  const zoneAt = settings.address.indexOf('%');
  if (zoneAt < 0 || !has(answer, 'error')) return answer;
  if (answer.error !== 'EINVAL' || answer.syscall !== 'connect') return answer;
  return transport.connect({ ...settings, address: settings.address.slice(0, zoneAt) }, owner);
}
