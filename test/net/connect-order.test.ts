import t from 'tap';
import { engine } from 'iocp-net/engine';
import { connectOrderCases } from '../support/connect-order-cases';
import { onWindows } from '../support/local';

// It would look at what arrives meanwhile.
engine.configure({ helper: 'never' });

if (onWindows) t.pass('libuv has a connect there before the accept that it made');
else connectOrderCases(t);
