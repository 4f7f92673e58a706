// Set-up, wake-ups and tear-down. The control plane is in port_group_control.cc.
#include "port_group.h"

#include <utility>

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
                      InstanceMethod<&PortGroup::Submit>("submit"),
                      InstanceMethod<&PortGroup::DeliverSoon>("deliverSoon"),
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
                      InstanceMethod<&PortGroup::HasUnread>("hasUnread"),
                      InstanceMethod<&PortGroup::SendBlockNow>("sendBlockNow")});
}

PortGroup::PortGroup(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PortGroup>(info) {}

// At the environment's end StopAtCleanup came before. A group that is collected earlier takes back
// what would find nothing here then.
PortGroup::~PortGroup() {
  group_.Stop();
  for (const auto& member : members_) GiveUp(*member);
}

// add(settings, deliver): what JavaScript needs to map the port, or the name of an error.
// deliver(isBare) is called on the JS thread when there are completions, in a round of the event
// loop as often as it asks for; it must not throw.
Napi::Value PortGroup::Add(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object settings = info[0].As<Napi::Object>();
  auto member = std::make_unique<Member>();
  member->group = this;
  member->env = env;
  member->deliver = Napi::Persistent(info[1].As<Napi::Function>());
  const bool drives = settings.Get("driving").As<Napi::String>().Utf8Value() == "loop";
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  member->loop = EventLoop::Open(loop, Deliver, member.get());
  Napi::Object result = Napi::Object::New(env);
  cp::Error error = Open(env, *member, settings, drives, result);
  if (error != cp::Error::kOk) {
    GiveUp(*member);
    return Napi::String::New(env, cp::ErrorName(error));
  }
  // Hooks run in reverse order. A function that wakes has one of its own; added after it, ours
  // joins the threads before that one closes what they call (nodejs/node#38775).
  napi_add_async_cleanup_hook(env, StopAtCleanup, member.get(), &member->hook);
  members_.push_back(std::move(member));
  return result;
}

cp::Error PortGroup::Open(Napi::Env env, Member& member, const Napi::Object& settings, bool drives,
                          Napi::Object result) {
  if (member.loop == nullptr) {
    if (drives) return cp::Error::kNotSupported;
    const cp::Error error = MakeWakeFunction(env, member);
    if (error != cp::Error::kOk) return error;
  }
  cp::PortOptions options;
  options.backend = BackendByName(settings.Get("backend").As<Napi::String>());
  options.submission_entries = static_cast<std::uint32_t>(Number(settings, "submissionEntries"));
  options.completion_entries = static_cast<std::uint32_t>(Number(settings, "completionEntries"));
  options.receive_slab_bytes = static_cast<std::size_t>(Number(settings, "receiveSlabBytes"));
  options.send_slab_bytes = static_cast<std::size_t>(Number(settings, "sendSlabBytes"));
  options.socket_capacity = static_cast<std::uint32_t>(Number(settings, "socketCapacity"));
  options.linger_ms = static_cast<std::uint32_t>(Number(settings, "lingerMs"));
  options.core = static_cast<int>(Number(settings, "core"));
  options.driving = drives ? cp::Driving::kSubmitter : cp::Driving::kThread;
  options.helper = settings.Get("helper").As<Napi::Boolean>();
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
  const cp::Error error = group_.Add(options, &member.port);
  if (error != cp::Error::kOk) return error;
  const LoopMode mode = drives ? LoopMode::kDrives : LoopMode::kWoken;
  const bool starts = member.loop != nullptr ? member.loop->Start(mode, member.port)
                                             : member.port->ConsumerSleeps();
  return starts ? cp::Error::kOk : cp::Error::kNotSupported;
}

// On a thread that drives. What it wakes goes only when the environment goes, and by then this
// thread is joined.
void PortGroup::WakeConsumer(void* context) {
  Member& member = *static_cast<Member*>(context);
  if (member.loop != nullptr) return member.loop->Wake();
  napi_call_threadsafe_function(member.wake, nullptr, napi_tsfn_nonblocking);
}

namespace {

// The answers of JavaScript's deliver (Next, src/port/port.ts).
enum class Next : std::int32_t { kNothing, kScoped, kBare };

Next CallDeliver(napi_env env, napi_value receiver, napi_value deliver, Next how) {
  napi_value is_bare = nullptr;
  napi_value answer = nullptr;
  std::int32_t next = 0;
  napi_get_boolean(env, how == Next::kBare, &is_bare);
  // In no async context: an accepted connection belongs to nobody until its handlers say so.
  const napi_status status =
      how == Next::kBare
          ? napi_call_function(env, receiver, deliver, 1, &is_bare, &answer)
          : napi_make_callback(env, nullptr, receiver, deliver, 1, &is_bare, &answer);
  if (status != napi_ok || napi_get_value_int32(env, answer, &next) != napi_ok)
    return Next::kNothing;
  return static_cast<Next>(next);
}

}  // namespace

// JavaScript catches what listeners throw; what fails here is a worker that is being terminated.
void PortGroup::Deliver(void* context) {
  Member& member = *static_cast<Member*>(context);
  const napi_env env = member.env;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value receiver = nullptr;
  napi_value deliver = nullptr;
  Next next = member.delivers_bare ? Next::kBare : Next::kScoped;
  if (napi_create_object(env, &receiver) == napi_ok &&
      napi_get_reference_value(env, member.deliver, &deliver) == napi_ok) {
    while (next != Next::kNothing) {
      member.delivers_bare = next == Next::kBare;
      next = CallDeliver(env, receiver, deliver, next);
    }
  }
  napi_value thrown = nullptr;
  bool has_thrown = false;
  if (napi_is_exception_pending(env, &has_thrown) == napi_ok && has_thrown) {
    napi_get_and_clear_last_exception(env, &thrown);
  }
  napi_close_handle_scope(env, scope);
}

// --- Where there is no libuv: a function of Node-API wakes the loop.

cp::Error PortGroup::MakeWakeFunction(Napi::Env env, Member& member) {
  const napi_value name = Napi::String::New(env, "iocp-net");
  // The reference count of the function is the JS thread's alone; a port's thread only calls.
  const napi_status status =
      napi_create_threadsafe_function(env, member.deliver.Value(), nullptr, name, 0, 1, nullptr,
                                      nullptr, &member, CallJs, &member.wake);
  if (status != napi_ok) return cp::Error::kNoMemory;
  napi_unref_threadsafe_function(env, member.wake);
  return cp::Error::kOk;
}

void PortGroup::CallJs(napi_env env, napi_value callback, void* context, void*) {
  if (env == nullptr || callback == nullptr) return;  // the environment is going
  Deliver(context);
  if (!static_cast<Member*>(context)->port->ConsumerSleeps()) WakeConsumer(context);
}

// --- The end

void PortGroup::StopAtCleanup(napi_async_cleanup_hook_handle hook, void* data) {
  Member& member = *static_cast<Member*>(data);
  member.group->group_.Stop();
  member.hook = nullptr;
  member.wake = nullptr;  // its own hook, the next, takes it away
  if (member.loop == nullptr) {
    napi_remove_async_cleanup_hook(hook);
    return;
  }
  std::exchange(member.loop, nullptr)->Close([hook] { napi_remove_async_cleanup_hook(hook); });
}

// Its port has stopped, or never was.
void PortGroup::GiveUp(Member& member) {
  if (member.hook != nullptr) napi_remove_async_cleanup_hook(member.hook);
  if (member.wake != nullptr) napi_release_threadsafe_function(member.wake, napi_tsfn_abort);
  if (member.loop != nullptr) member.loop->Close(nullptr);
  member.hook = nullptr;
  member.wake = nullptr;
  member.loop = nullptr;
}

// stop(): for a group that is not to be used after all.
Napi::Value PortGroup::Stop(const Napi::CallbackInfo& info) {
  group_.Stop();
  for (const auto& member : members_) GiveUp(*member);
  return info.Env().Undefined();
}

// submit(port, id): see Port::Submit.
Napi::Value PortGroup::Submit(const Napi::CallbackInfo& info) {
  const Member& member = *members_[info[0].As<Napi::Number>().Uint32Value()];
  const std::uint32_t id = info[1].As<Napi::Number>().Uint32Value();
  const bool is_sent = member.loop != nullptr ? member.loop->Submit(id) : member.port->Submit(id);
  return Napi::Boolean::New(info.Env(), is_sent);
}

// deliverSoon(port): there is something to deliver without a completion.
Napi::Value PortGroup::DeliverSoon(const Napi::CallbackInfo& info) {
  const Member& member = *members_[info[0].As<Napi::Number>().Uint32Value()];
  if (member.loop != nullptr) member.loop->DeliverInClosingPhase();
  if (member.wake != nullptr) {
    napi_call_threadsafe_function(member.wake, nullptr, napi_tsfn_nonblocking);
  }
  return info.Env().Undefined();
}

Napi::Value PortGroup::Wake(const Napi::CallbackInfo& info) {
  PortOf(info)->Wake();
  return info.Env().Undefined();
}

Napi::Value PortGroup::Ref(const Napi::CallbackInfo& info) {
  const Member& member = *members_[info[0].As<Napi::Number>().Uint32Value()];
  if (member.loop != nullptr) member.loop->Ref();
  if (member.wake != nullptr) napi_ref_threadsafe_function(info.Env(), member.wake);
  return info.Env().Undefined();
}

Napi::Value PortGroup::Unref(const Napi::CallbackInfo& info) {
  const Member& member = *members_[info[0].As<Napi::Number>().Uint32Value()];
  if (member.loop != nullptr) member.loop->Unref();
  if (member.wake != nullptr) napi_unref_threadsafe_function(info.Env(), member.wake);
  return info.Env().Undefined();
}

cp::Port* PortGroup::PortOf(const Napi::CallbackInfo& info) {
  return members_[info[0].As<Napi::Number>().Uint32Value()]->port;
}

}  // namespace iocp_net
