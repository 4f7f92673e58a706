// How libuv's event loop serves a port. The only file here that knows when libuv calls what.
//
// The loop drives (LoopMode::kDrives). libuv goes round in phases: timers, prepare, poll, check
// (setImmediate), closing. In its prepare phase we take the port's turn, and wait there as long as
// libuv itself would have waited in its poll; what arrives for us wakes JavaScript without a
// detour. An idle handle then makes libuv's own poll a look that does not wait, for what woke us
// may be libuv's (loop_watch.h), and the rest of its round is as ever. Where it is known that libuv
// has nothing to do, that poll is left out, and a few more turns are taken at once.
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

enum class LoopMode { kDrives, kWoken };

// Made on the loop's thread, which calls everything but Wake(). It deletes itself: libuv needs the
// memory of its handles until it has closed them, in a later round of the loop.
class EventLoop {
 public:
  using Deliver = void (*)(void* context);

  // Null where this libuv or this loop is not what we know.
  static EventLoop* Open(uv_loop_s* loop, Deliver deliver, void* context);

  // The port is there: begins. False: this loop cannot drive it.
  bool Start(LoopMode mode, completion_port::Port* port);
  // The end; `closed` is called when the memory is given up.
  void Close(std::function<void()> closed);

  // Whether this port keeps the loop alive. It does not from the start.
  void Ref();
  void Unref();

  // What JavaScript has submitted is handed over. What that completes at once is delivered in the
  // loop's closing phase, where libuv calls back for what was closed.
  bool Submit(completion_port::SocketId id);

  // Delivers in the loop's closing phase, also where there are no completions.
  void DeliverInClosingPhase();

  // Any thread, with LoopMode::kWoken.
  void Wake() { uv_.async_send(async_.get()); }

 private:
  // Memory for one of libuv's handles.
  class Handle {
   public:
    void Allocate(std::size_t bytes, EventLoop* owner);
    UvHandle* get() const { return handle_; }

   private:
    std::unique_ptr<std::byte[]> memory_;
    UvHandle* handle_ = nullptr;
  };
  enum class Delivery { kNone, kPutOff, kRunning };  // put off: until libuv has polled
  enum class ClosingPhase { kUnused, kDue };         // due: `closer_` is being closed

  EventLoop(const Libuv& uv, UvLoop* loop, Deliver deliver, void* context);
  ~EventLoop() = default;

  static EventLoop* Of(UvHandle* handle) { return static_cast<EventLoop*>(handle->data); }
  static void OnPrepare(UvHandle* handle);
  static void OnAsync(UvHandle* handle);
  static void OnClosingPhase(UvHandle* handle);
  static void OnClosed(UvHandle* handle);
  static void Nothing(UvHandle*) {}

  void Drive();
  bool TakeTurn(int wait_ms);
  bool ListensFirst();
  void TakeTurns();
  int LibuvWaitMs() const;
  void DeliverWoken();
  bool DeliverAll();
  UvHandle* Holder() const;

  const Libuv uv_;
  UvLoop* const loop_;
  const Deliver deliver_;
  void* const context_;
  LoopMode mode_ = LoopMode::kWoken;
  completion_port::Port* port_ = nullptr;
  std::unique_ptr<LoopWatch> watch_;
  Handle prepare_, idle_, async_, closer_;
  std::uint32_t connects_seen_ = 0;
  Delivery delivery_ = Delivery::kNone;
  ClosingPhase closing_phase_ = ClosingPhase::kUnused;
  bool is_closing_ = false;
  int open_handles_ = 0;
  std::function<void()> closed_;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_EVENT_LOOP_H_
