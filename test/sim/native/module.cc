// The addon as it ships, and beside it the simulated system that it runs on.
#include "addon.h"
#include "simulation.h"

namespace iocp_net::sim {

namespace {

Napi::Object InitSimulated(Napi::Env env, Napi::Object exports) {
  System();
  Napi::Object simulation = Napi::Object::New(env);
  ExportSimulation(env, simulation);
  ExportPeers(env, simulation);
  exports.Set("simulation", simulation);
  return Init(env, exports);
}

}  // namespace

NODE_API_MODULE(iocp_net_simulated, InitSimulated)

}  // namespace iocp_net::sim
