// The control plane: bind, listen, addresses, options. A result below 0 is minus the index of an
// error in layout.errors.
#include "port_group.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

std::uint32_t Id(const Napi::CallbackInfo& info) {
  return info[1].As<Napi::Number>().Uint32Value();
}

Napi::Value Result(Napi::Env env, cp::Error error) {
  return Napi::Number::New(env, cp::ToResult(error));
}

// The id as the signed 32-bit number that JavaScript reads from a record. It can be negative, so
// ids and errors do not share a number: errors come as strings.
Napi::Value IdOrError(Napi::Env env, cp::Error error, std::uint32_t id) {
  if (error != cp::Error::kOk) return Napi::String::New(env, cp::ErrorName(error));
  return Napi::Number::New(env, static_cast<std::int32_t>(id));
}

Napi::Value AddressOrError(Napi::Env env, cp::Error error, const cp::Address& address) {
  if (error != cp::Error::kOk) return Napi::String::New(env, cp::ErrorName(error));
  Napi::Object endpoint = Napi::Object::New(env);
  endpoint.Set("address", cp::FormatAddress(address));
  endpoint.Set("family", address.family == cp::Family::kIpv6 ? "IPv6" : "IPv4");
  endpoint.Set("port", static_cast<double>(address.port));
  return endpoint;
}

cp::Error ParseFrom(const Napi::CallbackInfo& info, std::size_t first, cp::Address* out) {
  return cp::ParseAddress(
      info[first].As<Napi::String>().Utf8Value(),
      static_cast<std::uint16_t>(info[first + 1].As<Napi::Number>().Uint32Value()), out);
}

}  // namespace

// listen(port, address, number, backlog, ipv6Only, reusePort): listener id or error name.
Napi::Value PortGroup::Listen(const Napi::CallbackInfo& info) {
  cp::ListenOptions options;
  std::uint32_t id = 0;
  cp::Error error = ParseFrom(info, 1, &options.address);
  options.backlog = info[3].As<Napi::Number>().Int32Value();
  options.ipv6_only = info[4].As<Napi::Boolean>();
  options.reuse_port = info[5].As<Napi::Boolean>();
  if (error == cp::Error::kOk) error = PortOf(info)->PrepareListener(options, &id);
  return IdOrError(info.Env(), error, id);
}

// connect(port, address, number, localAddress, localNumber): socket id or error name. An empty
// localAddress leaves the local end to the system.
Napi::Value PortGroup::Connect(const Napi::CallbackInfo& info) {
  cp::ConnectOptions options;
  std::uint32_t id = 0;
  cp::Error error = ParseFrom(info, 1, &options.remote);
  if (error == cp::Error::kOk && !info[3].As<Napi::String>().Utf8Value().empty()) {
    error = ParseFrom(info, 3, &options.local);
  }
  if (error == cp::Error::kOk) error = PortOf(info)->PrepareConnect(options, &id);
  return IdOrError(info.Env(), error, id);
}

// listenLocal(port, path, backlog): listener id or error name.
Napi::Value PortGroup::ListenLocal(const Napi::CallbackInfo& info) {
  cp::ListenOptions options;
  std::uint32_t id = 0;
  cp::Error error = cp::ParsePath(info[1].As<Napi::String>().Utf8Value(), &options.address);
  options.backlog = info[2].As<Napi::Number>().Int32Value();
  if (error == cp::Error::kOk) error = PortOf(info)->PrepareListener(options, &id);
  return IdOrError(info.Env(), error, id);
}

// connectLocal(port, path): socket id or error name.
Napi::Value PortGroup::ConnectLocal(const Napi::CallbackInfo& info) {
  cp::ConnectOptions options;
  std::uint32_t id = 0;
  cp::Error error = cp::ParsePath(info[1].As<Napi::String>().Utf8Value(), &options.remote);
  if (error == cp::Error::kOk) error = PortOf(info)->PrepareConnect(options, &id);
  return IdOrError(info.Env(), error, id);
}

// setListenerAccess(port, id, readable, writable)
Napi::Value PortGroup::SetListenerAccess(const Napi::CallbackInfo& info) {
  return Result(info.Env(), PortOf(info)->SetListenerAccess(Id(info), info[2].As<Napi::Boolean>(),
                                                            info[3].As<Napi::Boolean>()));
}

Napi::Value PortGroup::UnlinkListener(const Napi::CallbackInfo& info) {
  return Result(info.Env(), PortOf(info)->UnlinkListener(Id(info)));
}

Napi::Value PortGroup::SetNoDelay(const Napi::CallbackInfo& info) {
  return Result(info.Env(), PortOf(info)->SetNoDelay(Id(info), info[2].As<Napi::Boolean>()));
}

// setKeepAlive(port, id, enable, delaySeconds, intervalSeconds, count)
Napi::Value PortGroup::SetKeepAlive(const Napi::CallbackInfo& info) {
  cp::KeepAlive options;
  options.enable = info[2].As<Napi::Boolean>();
  options.delay_s = info[3].As<Napi::Number>().Uint32Value();
  options.interval_s = info[4].As<Napi::Number>().Uint32Value();
  options.count = info[5].As<Napi::Number>().Uint32Value();
  return Result(info.Env(), PortOf(info)->SetKeepAlive(Id(info), options));
}

// setTypeOfService(port, id, value)
Napi::Value PortGroup::SetTypeOfService(const Napi::CallbackInfo& info) {
  return Result(info.Env(),
                PortOf(info)->SetTypeOfService(Id(info), info[2].As<Napi::Number>().Int32Value()));
}

// typeOfService(port, id): the value, or an error below 0.
Napi::Value PortGroup::TypeOfService(const Napi::CallbackInfo& info) {
  int value = 0;
  const cp::Error error = PortOf(info)->TypeOfService(Id(info), &value);
  if (error != cp::Error::kOk) return Result(info.Env(), error);
  return Napi::Number::New(info.Env(), value);
}

Napi::Value PortGroup::HasUnread(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), PortOf(info)->HasUnread(Id(info)));
}

Napi::Value PortGroup::LocalAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = PortOf(info)->LocalAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value PortGroup::PeerAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = PortOf(info)->PeerAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value PortGroup::ListenerAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = PortOf(info)->ListenerAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value PortGroup::NativeHandle(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(PortOf(info)->NativeHandle(Id(info))));
}

Napi::Value PortGroup::NativeListenerHandle(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(PortOf(info)->NativeListenerHandle(Id(info))));
}

// addressOf(bytes, words): writes where a Uint8Array's bytes are into words[0] (low) and words[1]
// (high). The caller keeps the array alive until the send that names it has completed.
Napi::Value PortGroup::AddressOf(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(bytes.Data()));
  Napi::Uint32Array words = info[1].As<Napi::Uint32Array>();
  words.Data()[0] = static_cast<std::uint32_t>(address);
  words.Data()[1] = static_cast<std::uint32_t>(address >> 32);
  return info.Env().Undefined();
}

// sendNow(port, id, bytes): how many of them the OS took without waiting, or an error.
Napi::Value PortGroup::SendNow(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[2].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(),
                           PortOf(info)->SendNow(Id(info), bytes.Data(), bytes.ByteLength()));
}

// sendBlockNow(port, id, offset, length): likewise, of the send slab.
Napi::Value PortGroup::SendBlockNow(const Napi::CallbackInfo& info) {
  const Member& member = *members_[info[0].As<Napi::Number>().Uint32Value()];
  const std::uint8_t* bytes = member.send_start + info[2].As<Napi::Number>().Uint32Value();
  return Napi::Number::New(
      info.Env(), member.port->SendNow(Id(info), bytes, info[3].As<Napi::Number>().Uint32Value()));
}

}  // namespace iocp_net
