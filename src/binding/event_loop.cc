// See event_loop.h.
#include "event_loop.h"

#include <new>
#include <utility>

namespace iocp_net {

namespace cp = completion_port;

namespace {
// After so many turns others have theirs, who have handles of libuv's for each round of its loop.
constexpr int kTurnsInARound = 8;
constexpr int kDeliveriesInARow = 8;
constexpr int kFurtherTurnMs = 1;  // the longest wait of those but the first
}  // namespace

bool EventLoop::Handle::Allocate(std::size_t bytes, EventLoop* owner) {
  memory_.reset(new (std::nothrow) std::byte[bytes]());
  if (memory_ == nullptr) return false;
  handle_ = reinterpret_cast<UvHandle*>(memory_.get());
  handle_->data = owner;
  return true;
}

EventLoop::EventLoop(const Libuv& uv, UvLoop* loop, Deliver deliver, void* context)
    : uv_(uv), loop_(loop), deliver_(deliver), context_(context) {}

bool EventLoop::AllocateHandles() {
  return prepare_.Allocate(uv_.handle_size(UvHandleType::kPrepare), this) &&
         check_.Allocate(uv_.handle_size(UvHandleType::kCheck), this) &&
         idle_.Allocate(uv_.handle_size(UvHandleType::kIdle), this) &&
         async_.Allocate(uv_.handle_size(UvHandleType::kAsync), this) &&
         closer_.Allocate(uv_.handle_size(UvHandleType::kIdle), this);
}

cp::Error EventLoop::Open(uv_loop_s* loop, Deliver deliver, void* context, EventLoop** out) {
  const std::optional<Libuv> uv = Libuv::Find();
  if (!uv || loop == nullptr) return cp::Error::kNotSupported;
  auto* made = new (std::nothrow) EventLoop(*uv, reinterpret_cast<UvLoop*>(loop), deliver, context);
  if (made == nullptr) return cp::Error::kNoMemory;
  if (!made->AllocateHandles()) {
    delete made;
    return cp::Error::kNoMemory;
  }
  const auto add = [made](int failed, const Handle& handle) {
    if (failed != 0) return false;
    ++made->open_handles_;
    made->uv_.unref(handle.get());
    return true;
  };
  const bool opened = add(uv->prepare_init(made->loop_, made->prepare_.get()), made->prepare_) &&
                      add(uv->check_init(made->loop_, made->check_.get()), made->check_) &&
                      add(uv->idle_init(made->loop_, made->idle_.get()), made->idle_) &&
                      add(uv->async_init(made->loop_, made->async_.get(), OnAsync), made->async_);
  if (opened) {
    *out = made;
    return cp::Error::kOk;
  }
  made->Close(nullptr);
  return cp::Error::kNotSupported;
}

bool EventLoop::Start(LoopMode mode, cp::Port* port) {
  mode_ = mode;
  port_ = port;
  if (mode == LoopMode::kWoken) return port->ConsumerSleeps();
  if (mode == LoopMode::kWatches) return StartWatching();
  watch_ = WatchLoop(uv_, loop_, port);
  if (watch_ == nullptr) return false;
  uv_.idle_start(idle_.get(), Nothing);
  uv_.prepare_start(prepare_.get(), OnPrepare);
  uv_.check_start(check_.get(), OnCheck);  // who starts last comes first
  return true;
}

bool EventLoop::StartWatching() {
  const std::intptr_t descriptor = port_->QueueDescriptor();
  if (descriptor < 0) return false;
  if (!queue_.Allocate(uv_.handle_size(UvHandleType::kPoll), this)) return false;
  if (uv_.poll_init(loop_, queue_.get(), static_cast<int>(descriptor)) != 0) return false;
  ++open_handles_;
  uv_.unref(queue_.get());
  if (uv_.poll_start(queue_.get(), kUvReadable, OnQueueReadable) != 0) return false;
  uv_.prepare_start(prepare_.get(), OnPrepare);
  uv_.check_start(check_.get(), OnCheck);
  return true;
}

void EventLoop::Close(std::function<void()> closed) {
  if (is_closing_) return;
  is_closing_ = true;
  closed_ = std::move(closed);
  if (watch_ != nullptr) watch_->Stop();
  // In the order in which they were opened, where opening ended half-way.
  UvHandle* const handles[] = {prepare_.get(), check_.get(), idle_.get(), async_.get(),
                               queue_.get()};
  const int count = open_handles_;
  if (closing_phase_ == ClosingPhase::kDue) ++open_handles_;
  for (int i = 0; i < count; ++i) uv_.close(handles[i], OnClosed);
  if (count == 0) delete this;
}

void EventLoop::OnClosed(UvHandle* handle) {
  EventLoop* const loop = Of(handle);
  if (--loop->open_handles_ != 0) return;
  if (loop->closed_) loop->closed_();
  delete loop;
}

// The one that is alive as long as we are.
UvHandle* EventLoop::Holder() const {
  return mode_ == LoopMode::kWoken ? async_.get() : prepare_.get();
}

void EventLoop::Ref() {
  if (!is_closing_) uv_.ref(Holder());
}

void EventLoop::Unref() {
  if (!is_closing_) uv_.unref(Holder());
}

// --- The loop drives

void EventLoop::OnPrepare(UvHandle* handle) {
  EventLoop* const loop = Of(handle);
  if (loop->mode_ == LoopMode::kDrives) return loop->BeginRound();
  if (loop->mode_ == LoopMode::kWatches) return loop->BeginWatchedRound();
  loop->uv_.prepare_stop(loop->prepare_.get());
  loop->uv_.idle_stop(loop->idle_.get());
  loop->DeliverWoken();
}

// How long libuv would wait in its poll, were it not for our idle handle; -1: without end.
int EventLoop::LibuvWaitMs() const { return watch_->MustPoll() ? 0 : uv_.backend_timeout(loop_); }

void EventLoop::BeginRound() {
  uv_.idle_stop(idle_.get());
  if (IsPendingAlone() && !DeliverOnce()) return;
  const bool has_new_sockets = watch_->MustPoll();
  TakeTurn(delivery_ == Delivery::kDue ? 0 : LibuvWaitMs());
  if (has_new_sockets && HasAcceptedAlone()) DeliverOnce();
  if (!is_closing_) uv_.idle_start(idle_.get(), Nothing);
}

void EventLoop::OnCheck(UvHandle* handle) {
  EventLoop* const loop = Of(handle);
  if (!loop->DeliverAllDue() || loop->mode_ != LoopMode::kDrives) return;
  // Without it libuv says how long it would wait.
  loop->uv_.idle_stop(loop->idle_.get());
  loop->TakeFurtherTurns();
  if (!loop->is_closing_) loop->uv_.idle_start(loop->idle_.get(), Nothing);
}

// As long as libuv has nothing to do, the next turn needs no round of its own.
void EventLoop::TakeFurtherTurns() {
  for (int turn = 1; turn < kTurnsInARound && delivery_ == Delivery::kDone; ++turn) {
    if (has_more_ || !watch_->IsQuiet()) return;
    uv_.update_time(loop_);  // a timer may have become due
    if (LibuvWaitMs() == 0) return;
    // An immediate that does not hold the loop is not seen by it, and must not wait for long.
    TakeTurn(kFurtherTurnMs);
    if (HasConnected() || !DeliverAllDue()) return;
  }
}

// What arrives in it is due.
void EventLoop::TakeTurn(int wait_ms) {
  if (has_more_) wait_ms = 0;
  if (wait_ms != 0) watch_->BeforeWait();
  const bool is_ready = port_->Drive(wait_ms) || has_more_;
  delivery_ = is_ready && HasArrived() ? Delivery::kDue : Delivery::kNone;
  if (is_ready) Schedule();
  // Timers that JavaScript makes now count from now, not from before the wait.
  if (wait_ms != 0) uv_.update_time(loop_);
}

// A helper may have brought something that arrived: that is for the check phase.
bool EventLoop::IsPendingAlone() const { return delivery_ == Delivery::kPending && !HasArrived(); }

bool EventLoop::HasAcceptedAlone() const {
  const cp::CompletionCounts now = port_->Completed();
  return now.connects == told_.connects && now.accepts != told_.accepts;
}

// What a delivery has left counts, whatever it is: others have their turn first.
bool EventLoop::HasArrived() const {
  if (has_more_) return true;
  const cp::CompletionCounts now = port_->Completed();
  return now.connects != told_.connects || now.arrivals != told_.arrivals;
}

bool EventLoop::HasClosed() const { return port_->Completed().closes != told_.closes; }

bool EventLoop::IsDue() const { return delivery_ == Delivery::kDue || IsPendingAlone(); }

// With what that completes at once, as libuv calls back for pending requests after its poll. False:
// that was the end.
bool EventLoop::DeliverAllDue() {
  for (int i = 0; i < kDeliveriesInARow && IsDue(); ++i) {
    if (!DeliverOnce()) return false;
  }
  return true;
}

// False: that was the end.
bool EventLoop::DeliverOnce(Phase phase) {
  if (!CallDeliver(phase)) return false;
  delivery_ = Delivery::kDone;
  if (mode_ != LoopMode::kWoken) Submit(0);
  return true;
}

// False: that was the end.
bool EventLoop::CallDeliver(Phase phase) {
  delivery_ = Delivery::kRunning;
  told_ = port_->Completed();
  has_more_ = deliver_(context_, phase);
  delivery_ = Delivery::kNone;
  if (is_closing_) return false;
  if (!port_->HasCompletions()) told_ = port_->Completed();
  return true;
}

bool EventLoop::Submit(cp::SocketId id) {
  const bool is_sent = port_->Submit(id);
  watched_turn_ = WatchedTurn::kDue;
  if (mode_ != LoopMode::kWoken && port_->HasCompletions()) Schedule();
  return is_sent;
}

// What a delivery under way completes, it sees to itself.
void EventLoop::Schedule() {
  if (delivery_ == Delivery::kRunning || delivery_ == Delivery::kDue) return;
  if (HasClosed()) return DeliverInClosingPhase();
  delivery_ = Delivery::kPending;
}

// By closing a handle that is there for nothing else.
void EventLoop::DeliverInClosingPhase() {
  if (closing_phase_ == ClosingPhase::kDue) return;
  closing_phase_ = ClosingPhase::kDue;
  uv_.idle_init(loop_, closer_.get());
  uv_.close(closer_.get(), OnClosingPhase);
}

void EventLoop::OnClosingPhase(UvHandle* handle) {
  EventLoop* const loop = Of(handle);
  if (loop->is_closing_) return OnClosed(handle);
  loop->closing_phase_ = ClosingPhase::kUnused;
  // On Windows libuv goes on closing for as long as its callbacks close.
  loop->DeliverOnce(Phase::kClosing);
}

// --- The loop drives, and waits elsewhere

// It stays readable until a turn has asked the system.
void EventLoop::OnQueueReadable(UvHandle* handle, int, int) {
  Of(handle)->watched_turn_ = WatchedTurn::kDue;
}

// What was submitted may complete without an event of the queue, so that libuv would not learn of
// it. So nobody waits before a turn has taken it and what it brought was delivered: an idle handle
// keeps the loop from that.
void EventLoop::BeginWatchedRound() {
  uv_.idle_stop(idle_.get());
  if (IsPendingAlone() && !DeliverOnce()) return;
  const bool is_asked = watched_turn_ == WatchedTurn::kDue || port_->HasSubmissions();
  watched_turn_ = WatchedTurn::kUnneeded;
  const bool is_ready = has_more_ || port_->HasCompletions() || (is_asked && port_->Drive(0));
  delivery_ = is_ready ? Delivery::kDue : Delivery::kNone;
  if (is_ready) uv_.idle_start(idle_.get(), Nothing);
}

// --- The loop is woken

void EventLoop::OnAsync(UvHandle* handle) {
  EventLoop* const loop = Of(handle);
  if (!loop->is_closing_ && loop->port_ != nullptr) loop->DeliverWoken();
}

// What came meanwhile is for the loop's next round: first comes what the callbacks of this one have
// asked of setImmediate().
void EventLoop::DeliverWoken() {
  has_more_ = deliver_(context_, Phase::kAny);
  if (is_closing_ || (!has_more_ && port_->ConsumerSleeps())) return;
  uv_.prepare_start(prepare_.get(), OnPrepare);
  uv_.idle_start(idle_.get(), Nothing);
}

}  // namespace iocp_net
