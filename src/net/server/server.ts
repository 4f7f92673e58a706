import * as nodeNet from '../node/node-net';
import { serverClass } from './server-class';

/** `net.Server`, its listeners on the completion core. */
export const Server = serverClass(nodeNet.Server);
