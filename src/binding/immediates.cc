// See immediates.h.
#include "immediates.h"

#include "host_symbol.h"

namespace iocp_net {

namespace {

// node_api_post_finalizer: Node-API's own way to have something called later, with the environment
// free to run JavaScript. Node runs it as a native immediate. It is experimental, so it is looked
// up and not linked.
using PostFinalizer = napi_status(NAPI_CDECL*)(napi_env, napi_finalize, void*, void*);

PostFinalizer FindPostFinalizer() {
  PostFinalizer found = nullptr;
  LoadFromHost("node_api_post_finalizer", &found);
  return found;
}

// At the environment's end nothing can be called any more, and nobody waits for it.
void CallBack(napi_env env, void* data, void*) {
  const auto reference = static_cast<napi_ref>(data);
  napi_value callback = nullptr;
  napi_value global = nullptr;
  napi_get_reference_value(env, reference, &callback);
  napi_delete_reference(env, reference);
  if (callback == nullptr || napi_get_global(env, &global) != napi_ok) return;
  napi_call_function(env, global, callback, 0, nullptr, nullptr);
}

}  // namespace

Napi::Value CallWithImmediates(const Napi::CallbackInfo& info) {
  static const PostFinalizer post_finalizer = FindPostFinalizer();
  napi_env env = info.Env();
  napi_ref reference = nullptr;
  if (post_finalizer == nullptr || napi_create_reference(env, info[0], 1, &reference) != napi_ok) {
    return Napi::Boolean::New(env, false);
  }
  const bool is_posted = post_finalizer(env, CallBack, reference, nullptr) == napi_ok;
  if (!is_posted) napi_delete_reference(env, reference);
  return Napi::Boolean::New(env, is_posted);
}

}  // namespace iocp_net
