// The data plane, as far as it is plain calls: what a connection sends at once, and a look at what
// has arrived.
#include "layout.h"
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
  const std::uint8_t* bytes = self.send_slab_.start() + Word(info, 1);
  return Napi::Number::New(info.Env(), self.port_->SendNow(Id(info), bytes, Word(info, 2)));
}

// sendTextNow(id, offset, room, text, isLatin1): encodes the text into the send slab, of which as
// many bytes are free there as it needs at most and one more, and sends it from there. An error, or
// how many bytes it has and how many of them were taken, in one number (kTextBytesShift).
Napi::Value NativePort::SendTextNow(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  char* const bytes = reinterpret_cast<char*>(self.send_slab_.start() + Word(info, 1));
  const std::size_t room = Word(info, 2);
  std::size_t length = 0;
  // Both end with a zero byte, which is not sent.
  if (info[4].As<Napi::Boolean>()) {
    napi_get_value_string_latin1(info.Env(), info[3], bytes, room, &length);
  } else {
    napi_get_value_string_utf8(info.Env(), info[3], bytes, room, &length);
  }
  const std::int32_t sent =
      self.port_->SendNow(Id(info), reinterpret_cast<const std::uint8_t*>(bytes), length);
  if (sent < 0) return Napi::Number::New(info.Env(), sent);
  return Napi::Number::New(info.Env(), static_cast<std::int32_t>(length << kTextBytesShift) | sent);
}

Napi::Value NativePort::HasUnread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Of(info).port_->HasUnread(Id(info)));
}

}  // namespace iocp_net
