/** The echo server of the load test on several ports. */
import type { EngineStats } from 'iocp-net/engine';
import { answer } from '../child';
import type { Account } from '../echo-plan';
import { createEchoServer, type EchoServer } from '../echo-server';
import { loadEngine, loadNet, type NetName } from '../settings';
import { listen, until } from '../sockets';

interface Start {
  net: NetName;
  ports: number;
  runSeed: number;
}

let echo: EchoServer;
let stats: (() => EngineStats) | undefined;

answer({
  async start({ net, ports, runSeed }: Start): Promise<number> {
    if (net === 'iocp-net') {
      const engine = loadEngine();
      engine.configure({ ports });
      stats = () => engine.stats();
    }
    echo = createEchoServer(loadNet(net), runSeed);
    return listen(echo.server);
  },
  async accounts(): Promise<Account[]> {
    await until(() => echo.sockets.size === 0, 5000);
    return echo.accounts;
  },
  /** Receives per port; empty on node:net. */
  receives: (): number[] =>
    (stats?.().ports ?? []).map((port) => port.operations.receive?.completed ?? 0),
});
