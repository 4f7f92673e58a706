// See children.h.
#include "children.h"

#include "host_symbol.h"
#include "libuv.h"

namespace iocp_net {

namespace {

using Visit = void (*)(UvHandle*, void* context);

struct Look {
  UvHandleType (*type_of)(const UvHandle*) = nullptr;
  bool has_found = false;
};

void LookAt(UvHandle* handle, void* context) {
  Look& look = *static_cast<Look*>(context);
  if (look.type_of(handle) == UvHandleType::kProcess) look.has_found = true;
}

}  // namespace

Napi::Value HasChildren(const Napi::CallbackInfo& info) {
  void (*walk)(uv_loop_s*, Visit, void*) = nullptr;
  uv_loop_s* loop = nullptr;
  Look look;
  const bool can_look = LoadFromHost("uv_walk", &walk) &&
                        LoadFromHost("uv_handle_get_type", &look.type_of) &&
                        napi_get_uv_event_loop(info.Env(), &loop) == napi_ok;
  if (!can_look) return Napi::Boolean::New(info.Env(), true);
  walk(loop, LookAt, &look);
  return Napi::Boolean::New(info.Env(), look.has_found);
}

}  // namespace iocp_net
