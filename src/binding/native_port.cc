// Set-up, wake-ups, and the way of completions into JavaScript. See native_port.h.
#include "native_port.h"

#include <utility>

namespace iocp_net {

namespace cp = completion_port;

namespace {

double Number(const Napi::Object& settings, const char* name) {
  return settings.Get(name).As<Napi::Number>().DoubleValue();
}

// PortSettings.driving of src/port/binding.ts.
LoopMode ModeByName(const std::string& name) {
  if (name == "loop") return LoopMode::kDrives;
  return name == "watched" ? LoopMode::kWatches : LoopMode::kWoken;
}

}  // namespace

cp::BackendKind BackendByName(const std::string& name) {
  for (const cp::BackendKind kind : {cp::BackendKind::kIocp, cp::BackendKind::kEpoll}) {
    if (name == cp::BackendName(kind)) return kind;
  }
  return cp::BackendKind::kIoUring;
}

cp::Error NativePort::Open(cp::PortGroup& group, const Napi::Object& settings,
                           Napi::Object object) {
  const LoopMode mode = ModeByName(settings.Get("driving").As<Napi::String>());
  const bool drives = mode != LoopMode::kWoken;
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env_, &loop);
  const cp::Error no_loop = EventLoop::Open(loop, Deliver, this, &loop_);
  // Without, threads drive, and a function of Node-API wakes the loop.
  const bool may_do_without = no_loop == cp::Error::kNotSupported && !drives;
  if (no_loop != cp::Error::kOk && !may_do_without) return no_loop;
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
  options.takes_accepted = settings.Get("takesAccepted").As<Napi::Boolean>();
  options.batch_sends = settings.Get("batchSends").As<Napi::Boolean>();
  const std::size_t ring_bytes =
      cp::RingMemoryBytes(options.submission_entries, options.completion_entries);
  if (!ring_.Open(env_, ring_bytes, "ring", object) ||
      !receive_slab_.Open(env_, options.receive_slab_bytes, "receiveSlab", object) ||
      !send_slab_.Open(env_, options.send_slab_bytes, "sendSlab", object)) {
    return cp::Error::kNoMemory;
  }
  options.ring_memory = ring_.start();
  options.receive_slab = receive_slab_.start();
  options.send_slab = send_slab_.start();
  options.wake_consumer = WakeConsumer;
  options.wake_context = this;
  if (loop_ == nullptr) {
    const cp::Error error = MakeWakeFunction();
    if (error != cp::Error::kOk) return error;
  }
  const cp::Error error = group.Add(options, &port_);
  return error != cp::Error::kOk ? error : Start(mode);
}

cp::Error NativePort::Start(LoopMode mode) {
  const bool starts = loop_ != nullptr ? loop_->Start(mode, port_) : port_->ConsumerSleeps();
  return starts ? cp::Error::kOk : cp::Error::kNotSupported;
}

void NativePort::Define(Napi::Object object) {
  Define<DeliverTo>(object, "deliverTo");
  Define<DeliverSoon>(object, "deliverSoon");
  Define<Wake>(object, "wake");
  Define<Submit>(object, "submit");
  Define<Ref>(object, "ref");
  Define<Unref>(object, "unref");
  Define<SendNow>(object, "sendNow");
  Define<SendBlockNow>(object, "sendBlockNow");
  Define<SendTextNow>(object, "sendTextNow");
  Define<HasUnread>(object, "hasUnread");
  Define<Listen>(object, "listen");
  Define<Connect>(object, "connect");
  Define<ListenLocal>(object, "listenLocal");
  Define<ConnectLocal>(object, "connectLocal");
  Define<SetListenerAccess>(object, "setListenerAccess");
  Define<UnlinkListener>(object, "unlinkListener");
  Define<SetNoDelay>(object, "setNoDelay");
  Define<SetKeepAlive>(object, "setKeepAlive");
  Define<SetTypeOfService>(object, "setTypeOfService");
  Define<TypeOfService>(object, "typeOfService");
  Define<LocalAddress>(object, "localAddress");
  Define<PeerAddress>(object, "peerAddress");
  Define<ListenerAddress>(object, "listenerAddress");
  Define<NativeHandle>(object, "nativeHandle");
  Define<NativeListenerHandle>(object, "nativeListenerHandle");
  Define<DuplicateFile>(object, "duplicateFile");
  Define<CloseFile>(object, "closeFile");
  Define<AdoptConnection>(object, "adoptConnection");
  Define<AdoptListener>(object, "adoptListener");
  Define<Duplicate>(object, "duplicate");
  Define<DuplicateListener>(object, "duplicateListener");
  DefineDatagrams(object);
}

// On a thread that drives. What it wakes goes only when the environment goes, and by then this
// thread is joined.
void NativePort::WakeConsumer(void* context) {
  NativePort& self = *static_cast<NativePort*>(context);
  if (self.loop_ != nullptr) return self.loop_->Wake();
  napi_call_threadsafe_function(self.wake_, nullptr, napi_tsfn_nonblocking);
}

// --- Completions into JavaScript

NativePort::Next NativePort::CallDeliver(napi_value deliver, Next how, Phase phase) {
  napi_value arguments[2] = {};
  napi_value answer = nullptr;
  std::int32_t next = 0;
  napi_get_boolean(env_, how == Next::kBare, &arguments[0]);
  napi_create_int32(env_, static_cast<std::int32_t>(phase), &arguments[1]);
  // In no async context: an accepted connection belongs to nobody until its handlers say so. The
  // function stands for the object that it is called on: nobody looks at that.
  const napi_status status =
      how == Next::kBare
          ? napi_call_function(env_, deliver, deliver, 2, arguments, &answer)
          : napi_make_callback(env_, nullptr, deliver, deliver, 2, arguments, &answer);
  if (status != napi_ok || napi_get_value_int32(env_, answer, &next) != napi_ok)
    return Next::kNothing;
  return static_cast<Next>(next);
}

// JavaScript catches what listeners throw; what fails here is a worker that is being terminated.
// True: something remains for the loop's next round.
bool NativePort::Deliver(void* context, Phase phase) {
  NativePort& self = *static_cast<NativePort*>(context);
  napi_env env = self.env_;
  napi_handle_scope scope = nullptr;
  napi_value deliver = nullptr;
  Next next = Next::kNothing;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  if (napi_get_reference_value(env, self.deliver_, &deliver) == napi_ok && deliver != nullptr) {
    for (next = self.likely_; next == Next::kScoped || next == Next::kBare;) {
      self.likely_ = next;
      next = self.CallDeliver(deliver, next, phase);
    }
  }
  napi_value thrown = nullptr;
  bool has_thrown = false;
  if (napi_is_exception_pending(env, &has_thrown) == napi_ok && has_thrown) {
    napi_get_and_clear_last_exception(env, &thrown);
  }
  napi_close_handle_scope(env, scope);
  return next == Next::kLater;
}

// deliverTo(deliver): see NativePort in src/port/binding.ts.
Napi::Value NativePort::DeliverTo(const Napi::CallbackInfo& info) {
  Of(info).deliver_ = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

// deliverSoon(): there is something to deliver without a completion.
Napi::Value NativePort::DeliverSoon(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  if (self.loop_ != nullptr) self.loop_->DeliverInClosingPhase();
  if (self.wake_ != nullptr) {
    napi_call_threadsafe_function(self.wake_, nullptr, napi_tsfn_nonblocking);
  }
  return info.Env().Undefined();
}

Napi::Value NativePort::Wake(const Napi::CallbackInfo& info) {
  Of(info).port_->Wake();
  return info.Env().Undefined();
}

// submit(id): see Port::Submit.
Napi::Value NativePort::Submit(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  const std::uint32_t id = Id(info);
  const bool is_sent = self.loop_ != nullptr ? self.loop_->Submit(id) : self.port_->Submit(id);
  return Napi::Boolean::New(info.Env(), is_sent);
}

Napi::Value NativePort::Ref(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  if (self.loop_ != nullptr) self.loop_->Ref();
  if (self.wake_ != nullptr) napi_ref_threadsafe_function(info.Env(), self.wake_);
  return info.Env().Undefined();
}

Napi::Value NativePort::Unref(const Napi::CallbackInfo& info) {
  const NativePort& self = Of(info);
  if (self.loop_ != nullptr) self.loop_->Unref();
  if (self.wake_ != nullptr) napi_unref_threadsafe_function(info.Env(), self.wake_);
  return info.Env().Undefined();
}

// --- Where there is no libuv: a function of Node-API wakes the loop.

cp::Error NativePort::MakeWakeFunction() {
  napi_value name = Napi::String::New(env_, "iocp-net");
  // For those who list what holds the process: that is the sockets, which they list by themselves.
  const auto has_ref = [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), false);
  };
  Napi::Object resource = Napi::Object::New(env_);
  resource.Set("hasRef", Napi::Function::New(env_, has_ref, "hasRef"));
  // The reference count of the function is the JS thread's alone; a port's thread only calls.
  const napi_status status = napi_create_threadsafe_function(
      env_, nullptr, resource, name, 0, 1, nullptr, nullptr, this, CallJs, &wake_);
  if (status != napi_ok) return cp::Error::kNoMemory;
  napi_unref_threadsafe_function(env_, wake_);
  return cp::Error::kOk;
}

void NativePort::CallJs(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is going
  const bool has_more = Deliver(context, Phase::kAny);
  if (has_more || !static_cast<NativePort*>(context)->port_->ConsumerSleeps()) {
    WakeConsumer(context);
  }
}

// --- The end

NativePort::~NativePort() {
  GiveUp();
  if (port_ == nullptr || !port_->HoldsMemory()) return;
  ring_.Abandon();
  receive_slab_.Abandon();
  send_slab_.Abandon();
  files_.Abandon();
}

void NativePort::Close(std::function<void()> closed) {
  wake_ = nullptr;  // its own hook, the next, takes it away
  if (loop_ == nullptr) return closed();
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

void NativePort::GiveUp() {
  if (wake_ != nullptr) napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  if (loop_ != nullptr) loop_->Close(nullptr);
  wake_ = nullptr;
  loop_ = nullptr;
}

}  // namespace iocp_net
