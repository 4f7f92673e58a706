/** Its kernel has connected a local socket before it goes on with the accept that waits for it. */
import t from 'tap';
import { engine } from 'iocp-net/engine';
import { connectOrderCases } from '../support/connect-order-cases';

// It would look at what arrives meanwhile.
engine.configure({ helper: 'never' });
process.env['IOCP_NET_BACKEND'] = 'io_uring'; // read with the first socket

if (engine.backend === 'io_uring') connectOrderCases(t);
else t.pass('there is no io_uring here');
