// See event_loop.h.
#include "event_loop.h"

#include <utility>

namespace iocp_net {

namespace cp = completion_port;

namespace {
// After so many turns others have theirs, who have handles of libuv's for each round of its loop.
constexpr int kTurnsInARound = 8;
constexpr int kFurtherTurnMs = 1;  // the longest wait of those but the first
}  // namespace

void EventLoop::Handle::Allocate(std::size_t bytes, EventLoop* owner) {
  memory_ = std::make_unique<std::byte[]>(bytes);
  handle_ = reinterpret_cast<UvHandle*>(memory_.get());
  handle_->data = owner;
}

EventLoop::EventLoop(const Libuv& uv, UvLoop* loop, Deliver deliver, void* context)
    : uv_(uv), loop_(loop), deliver_(deliver), context_(context) {
  prepare_.Allocate(uv.handle_size(UvHandleType::kPrepare), this);
  idle_.Allocate(uv.handle_size(UvHandleType::kIdle), this);
  async_.Allocate(uv.handle_size(UvHandleType::kAsync), this);
  closer_.Allocate(uv.handle_size(UvHandleType::kIdle), this);
}

EventLoop* EventLoop::Open(uv_loop_s* loop, Deliver deliver, void* context) {
  const std::optional<Libuv> uv = Libuv::Find();
  if (!uv || loop == nullptr) return nullptr;
  auto* made = new EventLoop(*uv, reinterpret_cast<UvLoop*>(loop), deliver, context);
  const auto add = [made](int failed, const Handle& handle) {
    if (failed != 0) return false;
    ++made->open_handles_;
    made->uv_.unref(handle.get());
    return true;
  };
  const bool opened = add(uv->prepare_init(made->loop_, made->prepare_.get()), made->prepare_) &&
                      add(uv->idle_init(made->loop_, made->idle_.get()), made->idle_) &&
                      add(uv->async_init(made->loop_, made->async_.get(), OnAsync), made->async_);
  if (opened) return made;
  made->Close(nullptr);
  return nullptr;
}

bool EventLoop::Start(LoopMode mode, cp::Port* port) {
  mode_ = mode;
  port_ = port;
  if (mode == LoopMode::kWoken) return port->ConsumerSleeps();
  watch_ = WatchLoop(uv_, loop_, port);
  if (watch_ == nullptr) return false;
  uv_.idle_start(idle_.get(), Nothing);
  uv_.prepare_start(prepare_.get(), OnPrepare);
  return true;
}

void EventLoop::Close(std::function<void()> closed) {
  if (is_closing_) return;
  is_closing_ = true;
  closed_ = std::move(closed);
  if (watch_ != nullptr) watch_->Stop();
  // In the order in which they were opened, where opening ended half-way.
  UvHandle* const handles[] = {prepare_.get(), idle_.get(), async_.get()};
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
  return mode_ == LoopMode::kDrives ? prepare_.get() : async_.get();
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
  if (loop->mode_ == LoopMode::kDrives) return loop->Drive();
  loop->uv_.prepare_stop(loop->prepare_.get());
  loop->uv_.idle_stop(loop->idle_.get());
  loop->DeliverWoken();
}

// How long libuv would wait in its poll, were it not for our idle handle; -1: without end.
int EventLoop::LibuvWaitMs() const { return watch_->MustPoll() ? 0 : uv_.backend_timeout(loop_); }

void EventLoop::Drive() {
  uv_.idle_stop(idle_.get());
  const bool had_to_poll = watch_->MustPoll();
  TakeTurns();
  // JavaScript may have connected a socket of libuv's, whose poll is next, to a listener of ours.
  if (!is_closing_ && !had_to_poll && watch_->MustPoll()) TakeTurn(0);
  if (!is_closing_) uv_.idle_start(idle_.get(), Nothing);
}

// As long as libuv has nothing to do, the next turn needs no round of its own.
void EventLoop::TakeTurns() {
  int wait_ms = LibuvWaitMs();
  for (int turn = 1; TakeTurn(wait_ms) && turn < kTurnsInARound && watch_->IsQuiet(); ++turn) {
    uv_.update_time(loop_);  // a timer may have become due
    wait_ms = LibuvWaitMs();
    if (wait_ms == 0) return;
    // An immediate that does not hold the loop is not seen by it, and must not wait for long.
    wait_ms = kFurtherTurnMs;
  }
}

// True if it has delivered something, and that was not the end.
bool EventLoop::TakeTurn(int wait_ms) {
  if (wait_ms != 0) watch_->BeforeWait();
  const bool is_ready = port_->Drive(wait_ms);
  // Timers that JavaScript makes now count from now, not from before the wait.
  if (wait_ms != 0) uv_.update_time(loop_);
  if (!is_ready || ListensFirst() || !DeliverAll()) return false;
  Submit(0);
  return true;
}

// Who listens has a connection before who connects has it, so that under libuv 'connection' comes
// before 'connect'. Ours is not seen before libuv has looked at its listeners: the next turn, which
// finds that there is something to read, delivers. That one in any case, or a thousand connects
// that succeed one after the other would hold up everything.
bool EventLoop::ListensFirst() {
  const std::uint32_t made = port_->ConnectsMade();
  const bool puts_off = made != connects_seen_ && delivery_ != Delivery::kPutOff;
  connects_seen_ = made;
  delivery_ = puts_off ? Delivery::kPutOff : Delivery::kNone;
  return puts_off;
}

// False: that was the end.
bool EventLoop::DeliverAll() {
  delivery_ = Delivery::kRunning;
  deliver_(context_);
  delivery_ = Delivery::kNone;
  return !is_closing_;
}

bool EventLoop::Submit(cp::SocketId id) {
  const bool is_sent = port_->Submit(id);
  const bool waits_for_listeners = port_->ConnectsMade() != connects_seen_;
  if (mode_ == LoopMode::kDrives && delivery_ == Delivery::kNone && port_->HasCompletions() &&
      !waits_for_listeners) {
    DeliverInClosingPhase();
  }
  return is_sent;
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
  // What that completes in its turn is for the loop's next round. On Windows libuv goes on closing
  // for as long as its callbacks close, and in a worker that is being terminated nothing is taken.
  if (loop->DeliverAll() && loop->mode_ == LoopMode::kDrives) loop->port_->Submit(0);
}

// --- The loop is woken

void EventLoop::OnAsync(UvHandle* handle) {
  EventLoop* const loop = Of(handle);
  if (!loop->is_closing_ && loop->port_ != nullptr) loop->DeliverWoken();
}

// What came meanwhile is for the loop's next round: first comes what the callbacks of this one have
// asked of setImmediate().
void EventLoop::DeliverWoken() {
  deliver_(context_);
  if (is_closing_ || port_->ConsumerSleeps()) return;
  uv_.prepare_start(prepare_.get(), OnPrepare);
  uv_.idle_start(idle_.get(), Nothing);
}

}  // namespace iocp_net
