#ifndef IOCP_NET_BINDING_PORT_GROUP_H_
#define IOCP_NET_BINDING_PORT_GROUP_H_

#include <napi.h>

#include <memory>
#include <vector>

#include "completion_port/completion_port.h"
#include "native_port.h"

namespace iocp_net {

// The ports of one environment (main thread or worker_thread), as a JavaScript object.
//
// The environment's cleanup hook stops the ports and joins their threads before V8 takes anything
// away; only then is their memory given up. A group that is collected before (opening the engine
// failed half-way) does the same.
class PortGroup : public Napi::ObjectWrap<PortGroup> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PortGroup(const Napi::CallbackInfo& info);
  ~PortGroup() override;

 private:
  // A port, and the hook that stops it.
  struct Member {
    Member(PortGroup* its_group, Napi::Env env) : group(its_group), port(env) {}
    PortGroup* const group;
    NativePort port;
    napi_async_cleanup_hook_handle hook = nullptr;
  };

  static void StopAtCleanup(napi_async_cleanup_hook_handle hook, void* member);
  void StopAll();

  Napi::Value Add(const Napi::CallbackInfo& info);

  completion_port::PortGroup group_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_PORT_GROUP_H_
