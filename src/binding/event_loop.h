// How libuv's event loop serves a port. The only file here that knows when libuv calls what.
//
// The loop drives (LoopMode::kDrives). libuv goes round in phases: timers, prepare, poll, check
// (setImmediate), closing. In its prepare phase we take the port's turn, and wait there as long as
// libuv itself would have waited in its poll. An idle handle then makes libuv's own poll a look
// that does not wait, for what woke us may be libuv's (loop_watch.h). Where it is known that libuv
// has nothing to do, a few more turns are taken at once, without the rest of a round.
//
// Each thing is told where libuv would tell it, or what else happens in the process might come in
// another order. What arrived: in the check phase, before Node's own handle there, which calls what
// setImmediate() was given; as after libuv's poll. What was done when it was submitted, such as a
// half-close: as with libuv's pending requests, before its poll or after it, whatever comes next.
// What was closed: in the closing phase.
//
// Who listens has a connection before who connects has it, so that 'connection' comes before
// 'connect', also where one of the two is libuv's. Ours connects: libuv's poll is before the
// delivery in any case. Ours listens: libuv has a socket that it has not told the system of yet
// (LoopWatch::MustPoll), and what was accepted then is delivered before its poll.
//
// The loop drives, and waits elsewhere (LoopMode::kWatches): a second port beside one of kDrives,
// on systems where libuv's poll can watch its queue. Its turns wait for nothing, and come before
// those of the port that the loop waits in, because libuv calls what was started last first.
// libuv's poll ends that wait when the queue has something.
//
// The loop is woken (LoopMode::kWoken). A thread drives the port; the loop waits in libuv, and an
// async handle wakes it.
//
// Deliver is called from libuv's own callbacks, in no callback scope of Node's. What goes into
// native code (tls, http2, the HTTP parser) stays outside of all: so the callback that comes out of
// that is the outermost, with its ticks.
#ifndef IOCP_NET_BINDING_EVENT_LOOP_H_
#define IOCP_NET_BINDING_EVENT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "completion_port/completion_port.h"
#include "libuv.h"
#include "loop_watch.h"

namespace iocp_net {

enum class LoopMode { kDrives, kWatches, kWoken };

// Where in the loop completions are delivered, and so of what is told there; JavaScript knows these
// numbers (src/port/dispatch.ts).
enum class Phase {
  kPolled,   // of what arrives, and of requests: what is closed waits for the next
  kClosing,  // of what is closed, and of requests: what arrives waits for the next round
  kAny,      // of everything
};

// Made on the loop's thread, which calls everything but Wake(). It deletes itself: libuv needs the
// memory of its handles until it has closed them, in a later round of the loop.
class EventLoop {
 public:
  // True: something remains for the loop's next round, beside what the port has to read then.
  using Deliver = bool (*)(void* context, Phase phase);

  // kNotSupported where this libuv or this loop is not what we know.
  static completion_port::Error Open(uv_loop_s* loop, Deliver deliver, void* context,
                                     EventLoop** out);

  // The port is there: begins. False: this loop cannot drive it.
  bool Start(LoopMode mode, completion_port::Port* port);
  // The end; `closed` is called when the memory is given up.
  void Close(std::function<void()> closed);

  // Whether this port keeps the loop alive. It does not from the start.
  void Ref();
  void Unref();

  // What JavaScript has submitted is handed over. What that completes at once is delivered soon.
  bool Submit(completion_port::SocketId id);

  // Delivers in the loop's closing phase, also where there are no completions.
  void DeliverInClosingPhase();

  // Any thread, with LoopMode::kWoken.
  void Wake() { uv_.async_send(async_.get()); }

 private:
  // Memory for one of libuv's handles.
  class Handle {
   public:
    // False where there is no memory.
    [[nodiscard]] bool Allocate(std::size_t bytes, EventLoop* owner);
    UvHandle* get() const { return handle_; }

   private:
    std::unique_ptr<std::byte[]> memory_;
    UvHandle* handle_ = nullptr;
  };
  // Due: in the check phase. Pending: as a round begins or in the check phase, whatever comes
  // first.
  enum class Delivery { kNone, kDue, kPending, kRunning, kDone };
  enum class ClosingPhase { kUnused, kDue };  // due: `closer_` is being closed

  // Of a port that is watched: whether the system is to be asked in the next turn.
  enum class WatchedTurn { kUnneeded, kDue };

  EventLoop(const Libuv& uv, UvLoop* loop, Deliver deliver, void* context);
  ~EventLoop() = default;
  bool AllocateHandles();

  static EventLoop* Of(UvHandle* handle) { return static_cast<EventLoop*>(handle->data); }
  static void OnPrepare(UvHandle* handle);
  static void OnCheck(UvHandle* handle);
  static void OnAsync(UvHandle* handle);
  static void OnQueueReadable(UvHandle* handle, int status, int events);
  static void OnClosingPhase(UvHandle* handle);
  static void OnClosed(UvHandle* handle);
  static void Nothing(UvHandle*) {}

  bool StartWatching();
  void BeginWatchedRound();
  void BeginRound();
  void TakeTurn(int wait_ms);
  bool HasConnected() const { return port_->Completed().connects != told_.connects; }
  bool HasAcceptedAlone() const;
  bool HasArrived() const;
  bool HasClosed() const;
  bool IsPendingAlone() const;
  bool IsDue() const;
  void TakeFurtherTurns();
  int LibuvWaitMs() const;
  bool DeliverOnce(Phase phase = Phase::kPolled);
  bool DeliverAllDue();
  void Schedule();
  void DeliverWoken();
  bool CallDeliver(Phase phase);
  UvHandle* Holder() const;

  const Libuv uv_;
  UvLoop* const loop_;
  const Deliver deliver_;
  void* const context_;
  LoopMode mode_ = LoopMode::kWoken;
  completion_port::Port* port_ = nullptr;
  std::unique_ptr<LoopWatch> watch_;
  Handle prepare_, check_, idle_, async_, queue_,
      closer_;                              // `queue_` with LoopMode::kWatches alone
  completion_port::CompletionCounts told_;  // what JavaScript knows of, or may know by now
  Delivery delivery_ = Delivery::kNone;
  ClosingPhase closing_phase_ = ClosingPhase::kUnused;
  WatchedTurn watched_turn_ = WatchedTurn::kUnneeded;
  bool has_more_ = false;  // said so when it last delivered
  bool is_closing_ = false;
  int open_handles_ = 0;
  std::function<void()> closed_;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_EVENT_LOOP_H_
