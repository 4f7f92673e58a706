// See libuv.h.
#include "libuv.h"

#include "host_symbol.h"

namespace iocp_net {

std::optional<Libuv> Libuv::Find() {
  Libuv uv{};
  const bool found = LoadFromHost("uv_handle_size", &uv.handle_size) &&
                     LoadFromHost("uv_idle_init", &uv.idle_init) &&
                     LoadFromHost("uv_idle_start", &uv.idle_start) &&
                     LoadFromHost("uv_idle_stop", &uv.idle_stop) &&
                     LoadFromHost("uv_prepare_init", &uv.prepare_init) &&
                     LoadFromHost("uv_prepare_start", &uv.prepare_start) &&
                     LoadFromHost("uv_prepare_stop", &uv.prepare_stop) &&
                     LoadFromHost("uv_check_init", &uv.check_init) &&
                     LoadFromHost("uv_check_start", &uv.check_start) &&
                     LoadFromHost("uv_poll_init", &uv.poll_init) &&
                     LoadFromHost("uv_poll_start", &uv.poll_start) &&
                     LoadFromHost("uv_async_init", &uv.async_init) &&
                     LoadFromHost("uv_async_send", &uv.async_send) &&
                     LoadFromHost("uv_close", &uv.close) && LoadFromHost("uv_ref", &uv.ref) &&
                     LoadFromHost("uv_unref", &uv.unref) &&
                     LoadFromHost("uv_update_time", &uv.update_time) &&
                     LoadFromHost("uv_backend_timeout", &uv.backend_timeout) &&
                     LoadFromHost("uv_backend_fd", &uv.backend_fd);
  if (!found) return std::nullopt;
  return uv;
}

}  // namespace iocp_net
