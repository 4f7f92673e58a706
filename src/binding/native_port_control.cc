// The control plane of a port: bind, listen, addresses, options.
#include "native_port.h"
#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

// listen(address, number, backlog, ipv6Only, reusePort): listener id or error name.
Napi::Value NativePort::Listen(const Napi::CallbackInfo& info) {
  cp::ListenOptions options;
  std::uint32_t id = 0;
  cp::Error error = ParseFrom(info, 0, &options.address);
  options.backlog = info[2].As<Napi::Number>().Int32Value();
  options.ipv6_only = info[3].As<Napi::Boolean>();
  options.reuse_port = info[4].As<Napi::Boolean>();
  if (error == cp::Error::kOk) error = Of(info).port_->PrepareListener(options, &id);
  return IdOrError(info.Env(), error, id);
}

// connect(address, number, localAddress, localNumber): socket id or error name. An empty
// localAddress leaves the local end to the system.
Napi::Value NativePort::Connect(const Napi::CallbackInfo& info) {
  cp::ConnectOptions options;
  std::uint32_t id = 0;
  cp::Error error = ParseFrom(info, 0, &options.remote);
  if (error == cp::Error::kOk && !info[2].As<Napi::String>().Utf8Value().empty()) {
    error = ParseFrom(info, 2, &options.local);
  }
  if (error == cp::Error::kOk) error = Of(info).port_->PrepareConnect(options, &id);
  return IdOrError(info.Env(), error, id);
}

// listenLocal(path, backlog): listener id or error name.
Napi::Value NativePort::ListenLocal(const Napi::CallbackInfo& info) {
  cp::ListenOptions options;
  std::uint32_t id = 0;
  cp::Error error = cp::ParsePath(info[0].As<Napi::String>().Utf8Value(), &options.address);
  options.backlog = info[1].As<Napi::Number>().Int32Value();
  if (error == cp::Error::kOk) error = Of(info).port_->PrepareListener(options, &id);
  return IdOrError(info.Env(), error, id);
}

// connectLocal(path): socket id or error name.
Napi::Value NativePort::ConnectLocal(const Napi::CallbackInfo& info) {
  cp::ConnectOptions options;
  std::uint32_t id = 0;
  cp::Error error = cp::ParsePath(info[0].As<Napi::String>().Utf8Value(), &options.remote);
  if (error == cp::Error::kOk) error = Of(info).port_->PrepareConnect(options, &id);
  return IdOrError(info.Env(), error, id);
}

// setListenerAccess(id, readable, writable)
Napi::Value NativePort::SetListenerAccess(const Napi::CallbackInfo& info) {
  return Result(info.Env(), Of(info).port_->SetListenerAccess(Id(info), info[1].As<Napi::Boolean>(),
                                                              info[2].As<Napi::Boolean>()));
}

Napi::Value NativePort::UnlinkListener(const Napi::CallbackInfo& info) {
  return Result(info.Env(), Of(info).port_->UnlinkListener(Id(info)));
}

Napi::Value NativePort::SetNoDelay(const Napi::CallbackInfo& info) {
  return Result(info.Env(), Of(info).port_->SetNoDelay(Id(info), info[1].As<Napi::Boolean>()));
}

// setKeepAlive(id, enable, delaySeconds, intervalSeconds, count)
Napi::Value NativePort::SetKeepAlive(const Napi::CallbackInfo& info) {
  cp::KeepAlive options;
  options.enable = info[1].As<Napi::Boolean>();
  options.delay_s = info[2].As<Napi::Number>().Uint32Value();
  options.interval_s = info[3].As<Napi::Number>().Uint32Value();
  options.count = info[4].As<Napi::Number>().Uint32Value();
  return Result(info.Env(), Of(info).port_->SetKeepAlive(Id(info), options));
}

// setTypeOfService(id, value)
Napi::Value NativePort::SetTypeOfService(const Napi::CallbackInfo& info) {
  return Result(info.Env(), Of(info).port_->SetTypeOfService(
                                Id(info), info[1].As<Napi::Number>().Int32Value()));
}

// typeOfService(id): the value, or an error below 0.
Napi::Value NativePort::TypeOfService(const Napi::CallbackInfo& info) {
  int value = 0;
  const cp::Error error = Of(info).port_->TypeOfService(Id(info), &value);
  if (error != cp::Error::kOk) return Result(info.Env(), error);
  return Napi::Number::New(info.Env(), value);
}

Napi::Value NativePort::LocalAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = Of(info).port_->LocalAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value NativePort::PeerAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = Of(info).port_->PeerAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value NativePort::ListenerAddress(const Napi::CallbackInfo& info) {
  cp::Address address;
  const cp::Error error = Of(info).port_->ListenerAddress(Id(info), &address);
  return AddressOrError(info.Env(), error, address);
}

Napi::Value NativePort::NativeHandle(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Of(info).port_->NativeHandle(Id(info))));
}

Napi::Value NativePort::NativeListenerHandle(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(Of(info).port_->NativeListenerHandle(Id(info))));
}

}  // namespace iocp_net
