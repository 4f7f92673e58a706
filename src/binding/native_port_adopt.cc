// Sockets that were made elsewhere: taking them over, and giving duplicates of ours away.
#include "native_port.h"
#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

// What was taken over, for JavaScript; or the name of an error.
Napi::Value AdoptedOrError(Napi::Env env, cp::Error error, std::uint32_t id, bool is_local) {
  if (error != cp::Error::kOk) return ErrorName(env, error);
  Napi::Object adopted = Napi::Object::New(env);
  adopted.Set("id", static_cast<double>(static_cast<std::int32_t>(id)));
  adopted.Set("kind", is_local ? "local" : "tcp");
  return adopted;
}

// The handle in info[0], or a duplicate of it where info[1] says that it stays its owner's.
class Handle {
 public:
  explicit Handle(const Napi::CallbackInfo& info)
      : native_(static_cast<std::intptr_t>(info[0].As<Napi::Number>().Int64Value())),
        duplicated_(info[1].As<Napi::Boolean>()) {
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

// adoptConnection(handle, duplicate): { id, kind } or error name. With `duplicate` the handle
// stays the caller's; without, it is the port's from here, unless an error comes back.
Napi::Value NativePort::AdoptConnection(const Napi::CallbackInfo& info) {
  Handle handle(info);
  std::uint32_t id = 0;
  cp::Error error = handle.error();
  if (error == cp::Error::kOk) {
    error = Of(info).port_->AdoptConnection(handle.native(), &id);
    if (error != cp::Error::kOk) handle.GiveUp();
  }
  cp::Address address;
  const bool is_local = error == cp::Error::kOk && Of(info).port_->LocalAddress(id, &address) ==
                                                       cp::Error::kOperationNotSupported;
  return AdoptedOrError(info.Env(), error, id, is_local);
}

// adoptListener(handle, duplicate, backlog): { id, kind } or error name. Ownership as above.
Napi::Value NativePort::AdoptListener(const Napi::CallbackInfo& info) {
  Handle handle(info);
  std::uint32_t id = 0;
  cp::Error error = handle.error();
  if (error == cp::Error::kOk) {
    error = Of(info).port_->AdoptListener(handle.native(), info[2].As<Napi::Number>().Int32Value(),
                                          &id);
    if (error != cp::Error::kOk) handle.GiveUp();
  }
  cp::Address address;
  const bool is_local = error == cp::Error::kOk &&
                        Of(info).port_->ListenerAddress(id, &address) == cp::Error::kOk &&
                        address.family == cp::Family::kLocal;
  return AdoptedOrError(info.Env(), error, id, is_local);
}

// duplicate(id): a handle that is the caller's, or an error name.
Napi::Value NativePort::Duplicate(const Napi::CallbackInfo& info) {
  std::intptr_t native = -1;
  const cp::Error error = Of(info).port_->Duplicate(Id(info), &native);
  return HandleOrError(info.Env(), error, native);
}

Napi::Value NativePort::DuplicateListener(const Napi::CallbackInfo& info) {
  std::intptr_t native = -1;
  const cp::Error error = Of(info).port_->DuplicateListener(Id(info), &native);
  return HandleOrError(info.Env(), error, native);
}

}  // namespace iocp_net
