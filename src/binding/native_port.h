#ifndef IOCP_NET_BINDING_NATIVE_PORT_H_
#define IOCP_NET_BINDING_NATIVE_PORT_H_

#include <napi.h>

#include <cstdint>
#include <functional>
#include <string>

#include "completion_port/completion_port.h"
#include "event_loop.h"
#include "port_memory.h"
#include "sent_files.h"

namespace iocp_net {

completion_port::BackendKind BackendByName(const std::string& name);

// One port for JavaScript: an object whose functions know their port without being told, and the
// way of its completions into JavaScript.
//
// Who owns what. The rings and slabs are this object's (port_memory.h), and go with it: when the
// port has stopped. The functions are usable as long as the PortGroup that this came from.
class NativePort {
 public:
  explicit NativePort(Napi::Env env) : env_(env) {}
  // Gives up what remains. The port has stopped, or never was.
  ~NativePort();
  NativePort(const NativePort&) = delete;
  NativePort& operator=(const NativePort&) = delete;

  // With the port's memory in `object`; Define() adds its functions.
  completion_port::Error Open(completion_port::PortGroup& group, const Napi::Object& settings,
                              Napi::Object object);
  void Define(Napi::Object object);

  // The environment ends. Its port has stopped; `closed` is called when nothing of it is left.
  void Close(std::function<void()> closed);
  void GiveUp();

 private:
  // The answers of JavaScript's deliver (Next, src/port/dispatch.ts).
  enum class Next : std::int32_t { kNothing, kScoped, kBare, kLater };

  static NativePort& Of(const Napi::CallbackInfo& info) {
    return *static_cast<NativePort*>(info.Data());
  }
  static std::uint32_t Word(const Napi::CallbackInfo& info, std::size_t at) {
    return info[at].As<Napi::Number>().Uint32Value();
  }
  // Of a socket or listener: the first argument, where there is one.
  static std::uint32_t Id(const Napi::CallbackInfo& info) { return Word(info, 0); }

  template <Napi::Value (*method)(const Napi::CallbackInfo&)>
  void Define(Napi::Object object, const char* name) {
    object.Set(name, Napi::Function::New<method>(env_, name, this));
  }
  completion_port::Error Start(LoopMode mode);
  completion_port::Error MakeWakeFunction();
  static void WakeConsumer(void* native_port);  // on a thread that drives

  // These on the JS thread:
  static bool Deliver(void* native_port, Phase phase);
  Next CallDeliver(napi_value deliver, Next how, Phase phase);
  static void CallJs(napi_env env, napi_value callback, void* context, void*);

  // What JavaScript calls; said in src/port/binding.ts. In native_port.cc:
  static Napi::Value DeliverTo(const Napi::CallbackInfo& info);
  static Napi::Value DeliverSoon(const Napi::CallbackInfo& info);
  static Napi::Value Wake(const Napi::CallbackInfo& info);
  static Napi::Value Submit(const Napi::CallbackInfo& info);
  static Napi::Value Ref(const Napi::CallbackInfo& info);
  static Napi::Value Unref(const Napi::CallbackInfo& info);
  // In native_port_data.cc:
  static Napi::Value SendNow(const Napi::CallbackInfo& info);
  static Napi::Value SendTextNow(const Napi::CallbackInfo& info);
  static Napi::Value SendBlockNow(const Napi::CallbackInfo& info);
  static Napi::Value HasUnread(const Napi::CallbackInfo& info);
  // In native_port_control.cc:
  static Napi::Value Listen(const Napi::CallbackInfo& info);
  static Napi::Value Connect(const Napi::CallbackInfo& info);
  static Napi::Value ListenLocal(const Napi::CallbackInfo& info);
  static Napi::Value ConnectLocal(const Napi::CallbackInfo& info);
  static Napi::Value SetListenerAccess(const Napi::CallbackInfo& info);
  static Napi::Value UnlinkListener(const Napi::CallbackInfo& info);
  static Napi::Value SetNoDelay(const Napi::CallbackInfo& info);
  static Napi::Value SetKeepAlive(const Napi::CallbackInfo& info);
  static Napi::Value SetTypeOfService(const Napi::CallbackInfo& info);
  static Napi::Value TypeOfService(const Napi::CallbackInfo& info);
  static Napi::Value LocalAddress(const Napi::CallbackInfo& info);
  static Napi::Value PeerAddress(const Napi::CallbackInfo& info);
  static Napi::Value ListenerAddress(const Napi::CallbackInfo& info);
  static Napi::Value NativeHandle(const Napi::CallbackInfo& info);
  static Napi::Value NativeListenerHandle(const Napi::CallbackInfo& info);
  // In native_port_datagrams.cc:
  void DefineDatagrams(Napi::Object object);
  static Napi::Value OpenDatagrams(const Napi::CallbackInfo& info);
  static Napi::Value PrepareDatagrams(const Napi::CallbackInfo& info);
  static Napi::Value ConnectDatagrams(const Napi::CallbackInfo& info);
  static Napi::Value DatagramAddress(const Napi::CallbackInfo& info);
  static Napi::Value DatagramPeer(const Napi::CallbackInfo& info);
  static Napi::Value SetDatagramOption(const Napi::CallbackInfo& info);
  static Napi::Value SetMulticastInterface(const Napi::CallbackInfo& info);
  static Napi::Value JoinGroup(const Napi::CallbackInfo& info);
  static Napi::Value DatagramBufferSize(const Napi::CallbackInfo& info);
  static Napi::Value NativeDatagramHandle(const Napi::CallbackInfo& info);
  static Napi::Value DuplicateDatagrams(const Napi::CallbackInfo& info);
  static Napi::Value ReceiveDatagrams(const Napi::CallbackInfo& info);
  static Napi::Value SendDatagrams(const Napi::CallbackInfo& info);
  static Napi::Value ParsePeer(const Napi::CallbackInfo& info);
  static Napi::Value FormatPeer(const Napi::CallbackInfo& info);
  // In native_port_files.cc:
  static Napi::Value DuplicateFile(const Napi::CallbackInfo& info);
  static Napi::Value CloseFile(const Napi::CallbackInfo& info);
  // In native_port_adopt.cc:
  static Napi::Value AdoptConnection(const Napi::CallbackInfo& info);
  static Napi::Value AdoptListener(const Napi::CallbackInfo& info);
  static Napi::Value Duplicate(const Napi::CallbackInfo& info);
  static Napi::Value DuplicateListener(const Napi::CallbackInfo& info);

  const Napi::Env env_;
  completion_port::Port* port_ = nullptr;
  EventLoop* loop_ = nullptr;                // deletes itself; null without libuv, and at the end
  napi_threadsafe_function wake_ = nullptr;  // in its place, where there is no libuv
  Napi::FunctionReference deliver_;
  Next likely_ = Next::kScoped;  // how the last was delivered: the next is likely to be as well
  PortMemory ring_;
  PortMemory receive_slab_;
  PortMemory send_slab_;
  PortMemory datagrams_;  // from the first datagram socket on
  SentFiles files_;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_NATIVE_PORT_H_
