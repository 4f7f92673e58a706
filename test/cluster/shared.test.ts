/** Every worker accepts by itself, from a listening socket that the primary shares with it. */
import t from 'tap';
import cluster from 'node:cluster';
import 'iocp-net';
import { setUp } from '../support/cluster';
import { clusterCases } from '../support/cluster-cases';

setUp(cluster.SCHED_NONE);
clusterCases(t, true);
