// See port_group.h.
#include "port_group.h"

#include <new>
#include <utility>

#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

Napi::Function PortGroup::Define(Napi::Env env) {
  return DefineClass(env, "PortGroup", {InstanceMethod<&PortGroup::Add>("add")});
}

PortGroup::PortGroup(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PortGroup>(info) {}

// At the environment's end StopAtCleanup came before. A group that is collected earlier takes back
// what would find nothing here then.
PortGroup::~PortGroup() { StopAll(); }

// add(settings): a port (NativePort in src/port/binding.ts), or the name of an error. After that
// the group is of no use.
Napi::Value PortGroup::Add(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::unique_ptr<Member> member(new (std::nothrow) Member(this, env));
  if (member == nullptr) {
    StopAll();
    return ErrorName(env, cp::Error::kNoMemory);
  }
  Napi::Object object = Napi::Object::New(env);
  const cp::Error error = member->port.Open(group_, info[0].As<Napi::Object>(), object);
  if (error != cp::Error::kOk) {
    StopAll();  // before the member goes, which a thread of its port may know
    return ErrorName(env, error);
  }
  member->port.Define(object);
  // Hooks run in reverse order. A function that wakes has one of its own; added after it, ours
  // joins the threads before that one closes what they call (nodejs/node#38775).
  napi_add_async_cleanup_hook(env, StopAtCleanup, member.get(), &member->hook);
  members_.push_back(std::move(member));
  return object;
}

void PortGroup::StopAtCleanup(napi_async_cleanup_hook_handle hook, void* data) {
  Member& member = *static_cast<Member*>(data);
  member.group->group_.Stop();
  member.hook = nullptr;
  member.port.Close([hook] { napi_remove_async_cleanup_hook(hook); });
}

void PortGroup::StopAll() {
  group_.Stop();
  for (const auto& member : members_) {
    if (member->hook != nullptr) napi_remove_async_cleanup_hook(member->hook);
    member->hook = nullptr;
    member->port.GiveUp();
  }
}

}  // namespace iocp_net
