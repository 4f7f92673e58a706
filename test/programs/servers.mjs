// The server programs, and who drives them.
//
//   onWindows   also in node.exe
//   switched    by an import of its own, not by iocp-net/register
//   env         what its environment has to say
//   least       operations, and counters, that it must have on the core
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { folder, root } from './program.mjs';
import { makeCertificate } from './certificate.mjs';
import { bodiesTraffic } from './traffic/bodies.mjs';
import { coapPlace, coapTraffic } from './traffic/coap.mjs';
import { dnsTraffic } from './traffic/dns.mjs';
import { filesTraffic, folderOfFiles } from './traffic/files.mjs';
import { grpcTraffic } from './traffic/grpc.mjs';
import { httpTraffic } from './traffic/http.mjs';
import { mqttTraffic } from './traffic/mqtt.mjs';
import { proxyTarget, proxyTraffic } from './traffic/proxy.mjs';
import { socketIoTraffic } from './traffic/socket-io.mjs';
import { chatTraffic, echoTarget, tcpProxyTraffic } from './traffic/tcp.mjs';
import { wsTraffic } from './traffic/ws.mjs';

const exampleCopies = join(folder, 'build');

/** So that the examples find the packages that are installed here, and ours. */
export function copyExamples() {
  const ours = join(exampleCopies, 'node_modules/iocp-net');
  mkdirSync(dirname(ours), { recursive: true });
  rmSync(ours, { force: true });
  symlinkSync(root, ours, 'junction');
  cpSync(join(root, 'examples'), exampleCopies, { recursive: true });
}

const example = (name) => join(exampleCopies, `${name}.mjs`);
const own = (name) => join(folder, 'servers', `${name}.mjs`);

/** For a server of https. */
function certified() {
  const folder = mkdtempSync(join(tmpdir(), 'iocp-net-bodies-'));
  try {
    const { key, cert } = makeCertificate(folder);
    return { SECURE: '1', KEY: key, CERT: cert };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const servers = [
  { name: 'express', file: example('express'), traffic: httpTraffic, onWindows: true },
  { name: 'fastify', file: example('fastify'), traffic: httpTraffic, onWindows: true },
  {
    name: 'express, files',
    file: example('express-files'),
    env: folderOfFiles,
    traffic: filesTraffic,
  },
  {
    name: 'fastify, files',
    file: example('fastify-files'),
    env: folderOfFiles,
    traffic: filesTraffic,
  },
  { name: 'koa', file: example('koa'), traffic: httpTraffic },
  { name: 'hapi', file: own('hapi'), traffic: httpTraffic },
  { name: 'hono', file: own('hono'), traffic: httpTraffic },
  { name: 'ws', file: example('ws-echo'), traffic: wsTraffic, onWindows: true },
  { name: 'socket.io', file: own('socket-io'), traffic: socketIoTraffic },
  {
    name: 'http-proxy',
    file: own('http-proxy'),
    env: proxyTarget,
    traffic: proxyTraffic,
    least: { accept: 1, connect: 1 },
  },
  { name: '@grpc/grpc-js', file: own('grpc'), traffic: grpcTraffic, leaves: true },
  { name: 'aedes', file: own('aedes'), traffic: mqttTraffic },
  {
    name: 'coap',
    file: own('coap'),
    env: coapPlace,
    traffic: coapTraffic,
    least: { datagramsReceived: 600, datagramsSent: 600 },
    onWindows: true,
  },
  {
    name: 'dns-packet',
    file: own('dns'),
    traffic: dnsTraffic,
    least: { datagramsReceived: 500, datagramsSent: 500, accept: 1 },
    onWindows: true,
  },
  { name: 'bodies, http', file: own('bodies'), traffic: bodiesTraffic },
  {
    name: 'bodies, https',
    file: own('bodies'),
    env: certified,
    traffic: bodiesTraffic,
    secure: true,
    leaves: true,
  },
  {
    name: 'tcp-chat',
    file: join(root, 'examples/tcp-chat.mjs'),
    traffic: chatTraffic,
    switched: true,
    onWindows: true,
  },
  {
    name: 'tcp-proxy',
    file: join(root, 'examples/tcp-proxy.mjs'),
    env: echoTarget,
    traffic: tcpProxyTraffic,
    least: { accept: 1, connect: 1 },
    switched: true,
    onWindows: true,
  },
];
