import type net from 'node:net';
import { connect, listen } from 'iocp-net/promises';

export const server: Promise<net.Server> = listen({ port: 7000, connectionListener: () => {} });
export const socket: Promise<net.Socket> = connect(7000, 'localhost');
