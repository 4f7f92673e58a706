// The edge between JavaScript and the completion core: the only folder that includes napi.h.
// The data plane goes through shared memory (layout.cc tells JavaScript how it is laid out), but
// for what is sent at once (native_port_data.cc); the rest that is called is setup and control
// plane.
#include "addon.h"

#include "children.h"
#include "immediates.h"
#include "layout.h"
#include "native_handles.h"
#include "port_group.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

Napi::Value Backends(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  std::uint32_t count = 0;
  for (const cp::BackendKind kind : cp::BackendCandidates()) {
    names.Set(count++, cp::BackendName(kind));
  }
  return names;
}

// probe(name): null when this machine lets us use the backend, else the error's name.
Napi::Value Probe(const Napi::CallbackInfo& info) {
  const cp::Error error = cp::ProbeBackend(BackendByName(info[0].As<Napi::String>()));
  if (error == cp::Error::kOk) return info.Env().Null();
  return Napi::String::New(info.Env(), cp::ErrorName(error));
}

// fatalException(error): what a listener threw goes where node:net's would: 'uncaughtException'.
void FatalException(const Napi::CallbackInfo& info) { napi_fatal_exception(info.Env(), info[0]); }

}  // namespace

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("layout", ExportLayout(env));
  exports.Set("backends", Napi::Function::New(env, Backends));
  exports.Set("probe", Napi::Function::New(env, Probe));
  exports.Set("fatalException", Napi::Function::New(env, FatalException));
  exports.Set("callWithImmediates", Napi::Function::New<CallWithImmediates>(env));
  exports.Set("hasChildren", Napi::Function::New<HasChildren>(env));
  ExportNativeHandles(env, exports);
  exports.Set("PortGroup", PortGroup::Define(env));
  return exports;
}

}  // namespace iocp_net
