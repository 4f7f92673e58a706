// Sockets that are in no port: a listener that several processes are to share, and the way of a
// handle from one process to another.
#include "native_handles.h"

#include <vector>

#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

std::intptr_t HandleFrom(const Napi::CallbackInfo& info) {
  return static_cast<std::intptr_t>(info[0].As<Napi::Number>().Int64Value());
}

// openListener(address, number, backlog, ipv6Only): a listening handle that is in no port, the
// caller's, or an error name.
Napi::Value OpenListener(const Napi::CallbackInfo& info) {
  cp::ListenOptions options;
  options.backlog = info[2].As<Napi::Number>().Int32Value();
  options.ipv6_only = info[3].As<Napi::Boolean>();
  std::intptr_t native = -1;
  cp::Error error = ParseFrom(info, 0, &options.address);
  if (error == cp::Error::kOk) error = cp::OpenNativeListener(options, &native);
  return HandleOrError(info.Env(), error, native);
}

// share(handle, processId): a token for that process, or an error name.
Napi::Value Share(const Napi::CallbackInfo& info) {
  std::vector<std::uint8_t> token;
  const std::uint32_t process_id = info[1].As<Napi::Number>().Uint32Value();
  const cp::Error error = cp::ShareNative(HandleFrom(info), process_id, &token);
  if (error != cp::Error::kOk) return ErrorName(info.Env(), error);
  return Napi::Buffer<std::uint8_t>::Copy(info.Env(), token.data(), token.size());
}

// takeShared(token): a handle, the caller's, or an error name.
Napi::Value TakeShared(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  const std::vector<std::uint8_t> token(bytes.Data(), bytes.Data() + bytes.ByteLength());
  std::intptr_t native = -1;
  const cp::Error error = cp::TakeShared(token, &native);
  return HandleOrError(info.Env(), error, native);
}

// closeHandle(handle): one that is in no port.
Napi::Value CloseHandle(const Napi::CallbackInfo& info) {
  cp::CloseNative(HandleFrom(info));
  return info.Env().Undefined();
}

// addressOf(bytes, words): writes where a Uint8Array's bytes are into words[0] (low) and words[1]
// (high). The caller keeps the array alive until the operation that names it has completed.
Napi::Value AddressOf(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(bytes.Data()));
  Napi::Uint32Array words = info[1].As<Napi::Uint32Array>();
  words.Data()[0] = static_cast<std::uint32_t>(address);
  words.Data()[1] = static_cast<std::uint32_t>(address >> 32);
  return info.Env().Undefined();
}

}  // namespace

void ExportNativeHandles(Napi::Env env, Napi::Object exports) {
  exports.Set("openListener", Napi::Function::New<OpenListener>(env));
  exports.Set("share", Napi::Function::New<Share>(env));
  exports.Set("takeShared", Napi::Function::New<TakeShared>(env));
  exports.Set("closeHandle", Napi::Function::New<CloseHandle>(env));
  exports.Set("addressOf", Napi::Function::New<AddressOf>(env));
}

}  // namespace iocp_net
