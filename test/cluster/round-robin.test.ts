/** The primary accepts and hands connections to the workers in turn. */
import t from 'tap';
import cluster from 'node:cluster';
import 'iocp-net';
import { setUp } from '../support/cluster';
import { clusterCases } from '../support/cluster-cases';

setUp(cluster.SCHED_RR);
clusterCases(t, process.platform !== 'win32');
