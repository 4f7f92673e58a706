// Files that are sent from.
#include "host_symbol.h"
#include "native_port.h"
#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

// The handle that stands behind a descriptor of Node's. Elsewhere than on Windows they are the
// same.
std::intptr_t FileHandleOf(std::int32_t descriptor) {
#ifdef _WIN32
  void* (*os_handle)(int) = nullptr;
  if (!LoadFromHost("uv_get_osfhandle", &os_handle)) return -1;
  return reinterpret_cast<std::intptr_t>(os_handle(descriptor));
#else
  return descriptor;
#endif
}

}  // namespace

// duplicateFile(descriptor): a handle for kSendFile, the caller's to close, or an error name.
Napi::Value NativePort::DuplicateFile(const Napi::CallbackInfo& info) {
  std::intptr_t file = FileHandleOf(info[0].As<Napi::Number>().Int32Value());
  const cp::Error error =
      file < 0 ? cp::Error::kBadDescriptor : Of(info).files_.Duplicate(file, &file);
  return HandleOrError(info.Env(), error, file);
}

Napi::Value NativePort::CloseFile(const Napi::CallbackInfo& info) {
  Of(info).files_.Close(static_cast<std::intptr_t>(info[0].As<Napi::Number>().Int64Value()));
  return info.Env().Undefined();
}

}  // namespace iocp_net
