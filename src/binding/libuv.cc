// See libuv.h.
#include "libuv.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace iocp_net {

namespace {

void* Symbol(const char* name) {
#ifdef _WIN32
  // Node built as a DLL exports from there.
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
  return reinterpret_cast<void*>(GetProcAddress(host, name));
#else
  return dlsym(RTLD_DEFAULT, name);
#endif
}

template <typename Function>
bool Load(const char* name, Function* out) {
  *out = reinterpret_cast<Function>(Symbol(name));
  return *out != nullptr;
}

}  // namespace

std::optional<Libuv> Libuv::Find() {
  Libuv uv{};
  const bool found =
      Load("uv_handle_size", &uv.handle_size) && Load("uv_idle_init", &uv.idle_init) &&
      Load("uv_idle_start", &uv.idle_start) && Load("uv_idle_stop", &uv.idle_stop) &&
      Load("uv_prepare_init", &uv.prepare_init) && Load("uv_prepare_start", &uv.prepare_start) &&
      Load("uv_prepare_stop", &uv.prepare_stop) && Load("uv_async_init", &uv.async_init) &&
      Load("uv_async_send", &uv.async_send) && Load("uv_close", &uv.close) &&
      Load("uv_ref", &uv.ref) && Load("uv_unref", &uv.unref) &&
      Load("uv_update_time", &uv.update_time) && Load("uv_backend_timeout", &uv.backend_timeout) &&
      Load("uv_backend_fd", &uv.backend_fd);
  if (!found) return std::nullopt;
  return uv;
}

}  // namespace iocp_net
