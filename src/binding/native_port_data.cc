// The data plane, as far as it is plain calls: what a connection sends at once, and a look at what
// has arrived.
#include "native_port.h"

namespace iocp_net {

// sendNow(id, bytes): how many of them the OS took without waiting, or an error below 0.
Napi::Value NativePort::SendNow(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(),
                           Of(info).port_->SendNow(Id(info), bytes.Data(), bytes.ByteLength()));
}

// sendBlockNow(id, offset, length): likewise, of the send slab.
Napi::Value NativePort::SendBlockNow(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  const std::uint8_t* bytes = self.send_start_ + Word(info, 1);
  return Napi::Number::New(info.Env(), self.port_->SendNow(Id(info), bytes, Word(info, 2)));
}

Napi::Value NativePort::HasUnread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Of(info).port_->HasUnread(Id(info)));
}

}  // namespace iocp_net
