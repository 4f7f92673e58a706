// Sockets that were made elsewhere: taking them over, and giving duplicates of ours away.
#include "port_group.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

// What was taken over, for JavaScript; or the name of an error.
Napi::Value AdoptedOrError(Napi::Env env, cp::Error error, std::uint32_t id, bool is_local) {
  if (error != cp::Error::kOk) return Napi::String::New(env, cp::ErrorName(error));
  Napi::Object adopted = Napi::Object::New(env);
  adopted.Set("id", static_cast<double>(static_cast<std::int32_t>(id)));
  adopted.Set("kind", is_local ? "local" : "tcp");
  return adopted;
}

Napi::Value HandleOrError(Napi::Env env, cp::Error error, std::intptr_t native) {
  if (error != cp::Error::kOk) return Napi::String::New(env, cp::ErrorName(error));
  return Napi::Number::New(env, static_cast<double>(native));
}

// The handle in info[1], or a duplicate of it where info[2] says that it stays its owner's.
class Handle {
 public:
  explicit Handle(const Napi::CallbackInfo& info)
      : native_(static_cast<std::intptr_t>(info[1].As<Napi::Number>().Int64Value())),
        duplicated_(info[2].As<Napi::Boolean>()) {
    if (duplicated_) error_ = cp::DuplicateNative(native_, &native_);
  }
  cp::Error error() const { return error_; }
  std::intptr_t native() const { return native_; }
  // After a failed adoption: the duplicate has no other owner.
  void GiveUp() {
    if (duplicated_ && error_ == cp::Error::kOk) cp::CloseNative(native_);
  }

 private:
  std::intptr_t native_;
  bool duplicated_;
  cp::Error error_ = cp::Error::kOk;
};

}  // namespace

// adoptConnection(port, handle, duplicate): { id, kind } or error name. With `duplicate` the handle
// stays the caller's; without, it is the port's from here, unless an error comes back.
Napi::Value PortGroup::AdoptConnection(const Napi::CallbackInfo& info) {
  Handle handle(info);
  std::uint32_t id = 0;
  cp::Error error = handle.error();
  if (error == cp::Error::kOk) {
    error = PortOf(info)->AdoptConnection(handle.native(), &id);
    if (error != cp::Error::kOk) handle.GiveUp();
  }
  cp::Address address;
  const bool is_local = error == cp::Error::kOk && PortOf(info)->LocalAddress(id, &address) ==
                                                       cp::Error::kOperationNotSupported;
  return AdoptedOrError(info.Env(), error, id, is_local);
}

// adoptListener(port, handle, duplicate, backlog): { id, kind } or error name. Ownership as above.
Napi::Value PortGroup::AdoptListener(const Napi::CallbackInfo& info) {
  Handle handle(info);
  std::uint32_t id = 0;
  cp::Error error = handle.error();
  if (error == cp::Error::kOk) {
    error =
        PortOf(info)->AdoptListener(handle.native(), info[3].As<Napi::Number>().Int32Value(), &id);
    if (error != cp::Error::kOk) handle.GiveUp();
  }
  cp::Address address;
  const bool is_local = error == cp::Error::kOk &&
                        PortOf(info)->ListenerAddress(id, &address) == cp::Error::kOk &&
                        address.family == cp::Family::kLocal;
  return AdoptedOrError(info.Env(), error, id, is_local);
}

// duplicate(port, id): a handle that is the caller's, or an error name.
Napi::Value PortGroup::Duplicate(const Napi::CallbackInfo& info) {
  std::intptr_t native = -1;
  const cp::Error error =
      PortOf(info)->Duplicate(info[1].As<Napi::Number>().Uint32Value(), &native);
  return HandleOrError(info.Env(), error, native);
}

Napi::Value PortGroup::DuplicateListener(const Napi::CallbackInfo& info) {
  std::intptr_t native = -1;
  const cp::Error error =
      PortOf(info)->DuplicateListener(info[1].As<Napi::Number>().Uint32Value(), &native);
  return HandleOrError(info.Env(), error, native);
}

// openListener(address, number, backlog, ipv6Only): a listening handle that is in no port, the
// caller's, or an error name.
Napi::Value PortGroup::OpenListener(const Napi::CallbackInfo& info) {
  cp::ListenOptions options;
  options.backlog = info[2].As<Napi::Number>().Int32Value();
  options.ipv6_only = info[3].As<Napi::Boolean>();
  std::intptr_t native = -1;
  cp::Error error = cp::ParseAddress(
      info[0].As<Napi::String>().Utf8Value(),
      static_cast<std::uint16_t>(info[1].As<Napi::Number>().Uint32Value()), &options.address);
  if (error == cp::Error::kOk) error = cp::OpenNativeListener(options, &native);
  return HandleOrError(info.Env(), error, native);
}

// share(handle, processId): a token for that process, or an error name.
Napi::Value PortGroup::Share(const Napi::CallbackInfo& info) {
  std::vector<std::uint8_t> token;
  const cp::Error error =
      cp::ShareNative(static_cast<std::intptr_t>(info[0].As<Napi::Number>().Int64Value()),
                      info[1].As<Napi::Number>().Uint32Value(), &token);
  if (error != cp::Error::kOk) return Napi::String::New(info.Env(), cp::ErrorName(error));
  return Napi::Buffer<std::uint8_t>::Copy(info.Env(), token.data(), token.size());
}

// takeShared(token): a handle, the caller's, or an error name.
Napi::Value PortGroup::TakeShared(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  const std::vector<std::uint8_t> token(bytes.Data(), bytes.Data() + bytes.ByteLength());
  std::intptr_t native = -1;
  const cp::Error error = cp::TakeShared(token, &native);
  return HandleOrError(info.Env(), error, native);
}

// closeHandle(handle): one that is in no port.
Napi::Value PortGroup::CloseHandle(const Napi::CallbackInfo& info) {
  cp::CloseNative(static_cast<std::intptr_t>(info[0].As<Napi::Number>().Int64Value()));
  return info.Env().Undefined();
}

}  // namespace iocp_net
