#ifndef IOCP_NET_BINDING_PORT_GROUP_H_
#define IOCP_NET_BINDING_PORT_GROUP_H_

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "completion_port/completion_port.h"
#include "event_loop.h"

namespace iocp_net {

completion_port::BackendKind BackendByName(const std::string& name);

// The ports of one environment (main thread or worker_thread), as a JavaScript object.
//
// Who owns what. The rings and slabs are ArrayBuffers of V8 (Electron forbids others), held here by
// reference while the ports run. The environment's cleanup hook stops the ports and joins their
// threads before V8 takes anything away; only then are the references dropped. An object that is
// collected before (opening the engine failed half-way) does the same.
class PortGroup : public Napi::ObjectWrap<PortGroup> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PortGroup(const Napi::CallbackInfo& info);
  ~PortGroup() override;

 private:
  // One port, and how its completions reach JavaScript.
  struct Member {
    completion_port::Port* port = nullptr;
    EventLoop* loop = nullptr;                // deletes itself; null without libuv, and at the end
    napi_threadsafe_function wake = nullptr;  // in its place, where there is no libuv
    PortGroup* group = nullptr;
    napi_env env = nullptr;
    napi_async_cleanup_hook_handle hook = nullptr;
    Napi::FunctionReference deliver;
    bool delivers_bare = false;  // the last of what was delivered: the next is likely to be, too
    const std::uint8_t* send_start = nullptr;  // of the send slab
    Napi::Reference<Napi::ArrayBuffer> ring;
    Napi::Reference<Napi::ArrayBuffer> receive_slab;
    Napi::Reference<Napi::ArrayBuffer> send_slab;
  };

  static void WakeConsumer(void* member);  // on a thread that drives
  // These on the JS thread:
  static void Deliver(void* member);
  static void CallJs(napi_env env, napi_value callback, void* context, void*);
  static void StopAtCleanup(napi_async_cleanup_hook_handle hook, void* member);
  static void GiveUp(Member& member);
  static completion_port::Error MakeWakeFunction(Napi::Env env, Member& member);

  Napi::Value Add(const Napi::CallbackInfo& info);
  completion_port::Error Open(Napi::Env env, Member& member, const Napi::Object& settings,
                              bool drives, Napi::Object result);
  Napi::Value Stop(const Napi::CallbackInfo& info);
  Napi::Value Wake(const Napi::CallbackInfo& info);
  Napi::Value Submit(const Napi::CallbackInfo& info);
  Napi::Value DeliverSoon(const Napi::CallbackInfo& info);
  Napi::Value Ref(const Napi::CallbackInfo& info);
  Napi::Value Unref(const Napi::CallbackInfo& info);
  Napi::Value Listen(const Napi::CallbackInfo& info);
  Napi::Value Connect(const Napi::CallbackInfo& info);
  Napi::Value ListenLocal(const Napi::CallbackInfo& info);
  Napi::Value ConnectLocal(const Napi::CallbackInfo& info);
  Napi::Value SetListenerAccess(const Napi::CallbackInfo& info);
  Napi::Value UnlinkListener(const Napi::CallbackInfo& info);
  Napi::Value AdoptConnection(const Napi::CallbackInfo& info);
  Napi::Value AdoptListener(const Napi::CallbackInfo& info);
  Napi::Value Duplicate(const Napi::CallbackInfo& info);
  Napi::Value DuplicateListener(const Napi::CallbackInfo& info);
  Napi::Value OpenListener(const Napi::CallbackInfo& info);
  Napi::Value Share(const Napi::CallbackInfo& info);
  Napi::Value TakeShared(const Napi::CallbackInfo& info);
  Napi::Value CloseHandle(const Napi::CallbackInfo& info);
  Napi::Value SetNoDelay(const Napi::CallbackInfo& info);
  Napi::Value SetKeepAlive(const Napi::CallbackInfo& info);
  Napi::Value SetTypeOfService(const Napi::CallbackInfo& info);
  Napi::Value TypeOfService(const Napi::CallbackInfo& info);
  Napi::Value LocalAddress(const Napi::CallbackInfo& info);
  Napi::Value PeerAddress(const Napi::CallbackInfo& info);
  Napi::Value ListenerAddress(const Napi::CallbackInfo& info);
  Napi::Value NativeHandle(const Napi::CallbackInfo& info);
  Napi::Value NativeListenerHandle(const Napi::CallbackInfo& info);
  Napi::Value AddressOf(const Napi::CallbackInfo& info);
  Napi::Value SendBlockNow(const Napi::CallbackInfo& info);
  Napi::Value HasUnread(const Napi::CallbackInfo& info);
  Napi::Value SendNow(const Napi::CallbackInfo& info);

  completion_port::Port* PortOf(const Napi::CallbackInfo& info);

  completion_port::PortGroup group_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_PORT_GROUP_H_
