// The simulated system of a process that has the addon, for the JavaScript that runs scenarios in
// it (test/sim/simulation.ts). There is one for the life of the process; a scenario begins where
// the last one has left nothing.
#ifndef IOCP_NET_TEST_SIM_SIMULATION_H_
#define IOCP_NET_TEST_SIM_SIMULATION_H_

#include <napi.h>

#include "sim/kernel.h"

namespace iocp_net::sim {

// Made with the first call, on the main thread, and never taken away: the engine's ports are used
// until the process ends.
completion_port::sim::Kernel& System();

// The scenario, its clock and its record.
void ExportSimulation(Napi::Env env, Napi::Object exports);
// The other ends of connections, which are no sockets of the engine's.
void ExportPeers(Napi::Env env, Napi::Object exports);
void ForgetPeers();

}  // namespace iocp_net::sim

#endif  // IOCP_NET_TEST_SIM_SIMULATION_H_
