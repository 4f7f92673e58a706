// Set-up, wake-ups and tear-down. The control plane is in port_group_control.cc.
#include "port_group.h"

namespace iocp_net {

namespace cp = completion_port;

namespace {

constexpr std::size_t kPageBytes = 4096;

// An ArrayBuffer of `bytes` usable bytes from an aligned start; tells JavaScript where that is.
std::uint8_t* AlignedBuffer(Napi::Env env, std::size_t bytes, const char* name, Napi::Object result,
                            Napi::Reference<Napi::ArrayBuffer>* reference) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes + kPageBytes);
  const auto start = reinterpret_cast<std::uintptr_t>(buffer.Data());
  const std::uintptr_t aligned = (start + kPageBytes - 1) & ~std::uintptr_t{kPageBytes - 1};
  *reference = Napi::Reference<Napi::ArrayBuffer>::New(buffer, 1);
  Napi::Object place = Napi::Object::New(env);
  place.Set("buffer", buffer);
  place.Set("offset", static_cast<double>(aligned - start));
  place.Set("bytes", static_cast<double>(bytes));
  result.Set(name, place);
  return reinterpret_cast<std::uint8_t*>(aligned);
}

double Number(const Napi::Object& settings, const char* name) {
  return settings.Get(name).As<Napi::Number>().DoubleValue();
}

}  // namespace

cp::BackendKind BackendByName(const std::string& name) {
  for (const cp::BackendKind kind : {cp::BackendKind::kIocp, cp::BackendKind::kEpoll}) {
    if (name == cp::BackendName(kind)) return kind;
  }
  return cp::BackendKind::kIoUring;
}

Napi::Function PortGroup::Define(Napi::Env env) {
  return DefineClass(env, "PortGroup",
                     {InstanceMethod<&PortGroup::Add>("add"),
                      InstanceMethod<&PortGroup::Stop>("stop"),
                      InstanceMethod<&PortGroup::Wake>("wake"),
                      InstanceMethod<&PortGroup::Ref>("ref"),
                      InstanceMethod<&PortGroup::Unref>("unref"),
                      InstanceMethod<&PortGroup::Listen>("listen"),
                      InstanceMethod<&PortGroup::Connect>("connect"),
                      InstanceMethod<&PortGroup::ListenLocal>("listenLocal"),
                      InstanceMethod<&PortGroup::ConnectLocal>("connectLocal"),
                      InstanceMethod<&PortGroup::SetListenerAccess>("setListenerAccess"),
                      InstanceMethod<&PortGroup::UnlinkListener>("unlinkListener"),
                      InstanceMethod<&PortGroup::AdoptConnection>("adoptConnection"),
                      InstanceMethod<&PortGroup::AdoptListener>("adoptListener"),
                      InstanceMethod<&PortGroup::Duplicate>("duplicate"),
                      InstanceMethod<&PortGroup::DuplicateListener>("duplicateListener"),
                      InstanceMethod<&PortGroup::OpenListener>("openListener"),
                      InstanceMethod<&PortGroup::Share>("share"),
                      InstanceMethod<&PortGroup::TakeShared>("takeShared"),
                      InstanceMethod<&PortGroup::CloseHandle>("closeHandle"),
                      InstanceMethod<&PortGroup::SetNoDelay>("setNoDelay"),
                      InstanceMethod<&PortGroup::SetKeepAlive>("setKeepAlive"),
                      InstanceMethod<&PortGroup::SetTypeOfService>("setTypeOfService"),
                      InstanceMethod<&PortGroup::TypeOfService>("typeOfService"),
                      InstanceMethod<&PortGroup::LocalAddress>("localAddress"),
                      InstanceMethod<&PortGroup::PeerAddress>("peerAddress"),
                      InstanceMethod<&PortGroup::ListenerAddress>("listenerAddress"),
                      InstanceMethod<&PortGroup::NativeHandle>("nativeHandle"),
                      InstanceMethod<&PortGroup::NativeListenerHandle>("nativeListenerHandle"),
                      InstanceMethod<&PortGroup::AddressOf>("addressOf"),
                      InstanceMethod<&PortGroup::SendNow>("sendNow"),
                      InstanceMethod<&PortGroup::SendBlockNow>("sendBlockNow"),
                      InstanceMethod<&PortGroup::ReceiveNow>("receiveNow")});
}

PortGroup::PortGroup(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PortGroup>(info) {}

// At the environment's end StopAtCleanup came before. A group that is collected earlier takes back
// what would find nothing here then.
PortGroup::~PortGroup() {
  group_.Stop();
  for (const auto& member : members_) {
    if (member->wake == nullptr) continue;
    napi_remove_env_cleanup_hook(Env(), StopAtCleanup, member.get());
    napi_release_threadsafe_function(member->wake, napi_tsfn_abort);
  }
}

// add(settings, onWake): what JavaScript needs to map the port, or the name of an error.
// onWake(false) is called on the JS thread after completions were published while it slept,
// onWake(true) after that if there are more already: they are for the event loop's next turn.
Napi::Value PortGroup::Add(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto member = std::make_unique<Member>();
  member->group = this;
  // The reference count of the function is the JS thread's alone; the I/O thread only calls.
  napi_status status =
      napi_create_threadsafe_function(env, info[1], nullptr, Napi::String::New(env, "iocp-net"), 0,
                                      1, nullptr, nullptr, member.get(), CallJs, &member->wake);
  if (status != napi_ok) return Napi::String::New(env, "ENOMEM");
  napi_unref_threadsafe_function(env, member->wake);

  Napi::Object result = Napi::Object::New(env);
  const cp::Error error = Open(env, *member, info[0].As<Napi::Object>(), result);
  if (error != cp::Error::kOk) {
    napi_release_threadsafe_function(member->wake, napi_tsfn_abort);
    return Napi::String::New(env, cp::ErrorName(error));
  }
  // Hooks run in reverse order, and the function above has one of its own. Added after it, ours
  // joins the I/O threads before that one closes what they call (nodejs/node#38775). Each port
  // adds one, so this holds whichever was added last.
  napi_add_env_cleanup_hook(env, StopAtCleanup, member.get());
  members_.push_back(std::move(member));
  return result;
}

cp::Error PortGroup::Open(Napi::Env env, Member& member, const Napi::Object& settings,
                          Napi::Object result) {
  cp::PortOptions options;
  options.backend = BackendByName(settings.Get("backend").As<Napi::String>());
  options.submission_entries = static_cast<std::uint32_t>(Number(settings, "submissionEntries"));
  options.completion_entries = static_cast<std::uint32_t>(Number(settings, "completionEntries"));
  options.receive_slab_bytes = static_cast<std::size_t>(Number(settings, "receiveSlabBytes"));
  options.send_slab_bytes = static_cast<std::size_t>(Number(settings, "sendSlabBytes"));
  options.socket_capacity = static_cast<std::uint32_t>(Number(settings, "socketCapacity"));
  options.linger_ms = static_cast<std::uint32_t>(Number(settings, "lingerMs"));
  options.core = static_cast<int>(Number(settings, "core"));
  options.ring_memory = AlignedBuffer(
      env, cp::RingMemoryBytes(options.submission_entries, options.completion_entries), "ring",
      result, &member.ring);
  options.receive_slab =
      AlignedBuffer(env, options.receive_slab_bytes, "receiveSlab", result, &member.receive_slab);
  options.send_slab =
      AlignedBuffer(env, options.send_slab_bytes, "sendSlab", result, &member.send_slab);
  member.send_start = options.send_slab;
  options.wake_consumer = WakeConsumer;
  options.wake_context = &member;
  return group_.Add(options, &member.port);
}

// The function only loses its queue when the environment goes, and by then this thread is joined.
void PortGroup::WakeConsumer(void* member) {
  napi_call_threadsafe_function(static_cast<Member*>(member)->wake, nullptr, napi_tsfn_nonblocking);
}

// The function belongs to the async context of whoever made the first socket. Without a context the
// callback runs in none, as a callback of the event loop does: an accepted connection belongs to
// nobody until its handlers say so.
//
// JavaScript sleeps only when all of this is over. A threadsafe function that is called while it
// runs goes on at once, and a setImmediate() made before would have to wait for what comes then.
void PortGroup::CallJs(napi_env env, napi_value callback, void* context, void*) {
  if (env == nullptr || callback == nullptr) return;  // the environment is going
  napi_value receiver;
  napi_value is_more;
  if (napi_create_object(env, &receiver) != napi_ok) return;
  if (napi_get_boolean(env, false, &is_more) != napi_ok) return;
  napi_make_callback(env, nullptr, receiver, callback, 1, &is_more, nullptr);
  if (static_cast<Member*>(context)->port->ConsumerSleeps()) return;
  if (napi_get_boolean(env, true, &is_more) != napi_ok) return;
  napi_make_callback(env, nullptr, receiver, callback, 1, &is_more, nullptr);
}

void PortGroup::StopAtCleanup(void* data) {
  Member& member = *static_cast<Member*>(data);
  member.group->group_.Stop();
  member.wake = nullptr;  // its own hook, the next, takes it away
}

// stop(): for a group that is not to be used after all.
Napi::Value PortGroup::Stop(const Napi::CallbackInfo& info) {
  group_.Stop();
  return info.Env().Undefined();
}

Napi::Value PortGroup::Wake(const Napi::CallbackInfo& info) {
  PortOf(info)->Wake();
  return info.Env().Undefined();
}

Napi::Value PortGroup::Ref(const Napi::CallbackInfo& info) {
  napi_ref_threadsafe_function(info.Env(),
                               members_[info[0].As<Napi::Number>().Uint32Value()]->wake);
  return info.Env().Undefined();
}

Napi::Value PortGroup::Unref(const Napi::CallbackInfo& info) {
  napi_unref_threadsafe_function(info.Env(),
                                 members_[info[0].As<Napi::Number>().Uint32Value()]->wake);
  return info.Env().Undefined();
}

cp::Port* PortGroup::PortOf(const Napi::CallbackInfo& info) {
  return members_[info[0].As<Napi::Number>().Uint32Value()]->port;
}

}  // namespace iocp_net
